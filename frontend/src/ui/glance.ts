/** The glance of a card: set where it lies beneath the map of a phone, as text that nothing is chosen from. */

import { createContext } from "svelte";

export const [useGlance, provideGlance] = createContext<() => boolean>();
