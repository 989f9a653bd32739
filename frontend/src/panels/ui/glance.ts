/** Readers of whether a card is shown at a first glance: beneath the map of a phone, as text that nothing is chosen from. */

import { createContext } from "svelte";

export const [useGlance, provideGlance] = createContext<() => boolean>();
