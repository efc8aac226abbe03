/** Waits for all even when one fails, so that nothing is still under way when everything is rolled back. */
export async function allOf<T>(tasks: readonly Promise<T>[]): Promise<readonly T[]> {
  const ended = await Promise.allSettled(tasks);
  return ended.map((each) => {
    if (each.status === 'rejected') throw each.reason;
    return each.value;
  });
}
