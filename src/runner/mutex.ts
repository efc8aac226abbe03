/** Runs tasks one after another, in the order of the calls. One connection can do only one thing at a time. */
export type Mutex = <T>(task: () => Promise<T>) => Promise<T>;

export function makeMutex(): Mutex {
  const tail = { last: Promise.resolve() as Promise<unknown> };
  return (task) => {
    const result = tail.last.then(task, task);
    tail.last = result.catch(() => undefined);
    return result;
  };
}
