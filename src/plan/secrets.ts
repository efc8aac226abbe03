/**
 * Secrets that were read from files in this process, for whoever takes secrets out of the output: that is the last line of defence, and has
 * to know them from wherever they come. Of the process, as its environment is.
 */
const read = new Set<string>();

/** @returns the same text */
export function rememberSecret(text: string): string {
  read.add(text);
  return text;
}

export function rememberedSecrets(): readonly string[] {
  return [...read];
}
