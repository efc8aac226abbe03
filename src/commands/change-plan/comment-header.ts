/** What the comment of a pull request says to machines, in its first line. */
export type CommentHeader = {
  readonly project: string;
  readonly environment: string | null;
  /** SHA-256 of the runner plan. */
  readonly plan: string;
  /** Id of the change plan that the comment approves; null where it shows only part of it. */
  readonly change: string | null;
  readonly truncated: boolean;
};

const HEADER = /^<!-- sarrio-plan (\{.*\}) -->$/m;

/** As an HTML comment; what would end one is written as an escape. */
export function printHeader(header: CommentHeader): string {
  return `<!-- sarrio-plan ${JSON.stringify(header).replace(/[<>-]/g, (character) => `\\u00${character.charCodeAt(0).toString(16)}`)} -->`;
}

/** The header of a comment, or null when the text has none. */
export function readHeader(text: string): CommentHeader | null {
  const json = HEADER.exec(text.replaceAll('\r\n', '\n'))?.[1];
  if (json === undefined) return null;
  try {
    const { project, environment, plan, change, truncated } = JSON.parse(json) as Partial<CommentHeader>;
    if (typeof project !== 'string' || typeof plan !== 'string' || typeof truncated !== 'boolean') return null;
    return { project, plan, truncated, environment: environment ?? null, change: typeof change === 'string' && !truncated ? change : null };
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}
