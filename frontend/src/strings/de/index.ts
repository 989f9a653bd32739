import type { Translation } from "../translation";
import { help } from "./help";

export const translation: Translation = { language: "de", tables: { help } };
