/** The message of anything thrown, in one line, without a stack. An error made of several (a host with several addresses) gives them all. */
export function failureText(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(failureText))].join('; ');
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}
