import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** A value as `encode.mjs` sends it. */
export type Encoded =
  | { readonly t: 'plain'; readonly v: string | number | boolean | null }
  | { readonly t: 'number' | 'bigint'; readonly v: string }
  | { readonly t: 'undefined' | 'symbol' }
  | { readonly t: 'function'; readonly v: number }
  | { readonly t: 'list'; readonly v: readonly Encoded[] }
  | { readonly t: 'object'; readonly v: readonly (readonly [string, Encoded])[] };

/** Something that differs from machine to machine, and where the config reads it. */
export type Read = { readonly what: string; readonly file: string; readonly line: number; readonly column: number };

export type Evaluation =
  | { readonly kind: 'value'; readonly first: Encoded; readonly second: Encoded; readonly files: readonly string[]; readonly reads: readonly Read[] }
  | { readonly kind: 'error'; readonly message: string; readonly stack: string; readonly exit: Exit | null; readonly reads: readonly Read[] }
  /** The time was over. */
  | { readonly kind: 'slow' }
  /** Nothing was left to wait for, though the config still waited. */
  | { readonly kind: 'unsettled' }
  | { readonly kind: 'gone'; readonly how: string };

/** Where the config wanted to end its process. */
export type Exit = { readonly code: unknown; readonly file?: string; readonly line?: number; readonly column?: number };

/** A process that evaluates configs, one after the other. It knows nothing of this one's environment. */
export type Evaluator = {
  readonly evaluate: (path: string, timeoutMs: number) => Promise<Evaluation>;
  readonly close: () => void;
};

/** The process is made when it is first needed, and anew after one that has not answered as it should. */
export function startEvaluator(): Evaluator {
  let child: ChildProcess | null = null;
  const close = (): void => {
    child?.kill('SIGKILL');
    child = null;
  };
  const evaluate = async (path: string, timeoutMs: number): Promise<Evaluation> => {
    if (child?.connected !== true) child = takePrepared() ?? startChild();
    const result = await answerOf(child, { path, timeoutMs });
    if (result.kind !== 'value') close();
    return result;
  };
  return { evaluate, close };
}

/** Processes that were begun before anybody knew what to evaluate. */
const prepared: ChildProcess[] = [];

/** For a command that is going to evaluate a config: a process begins while the command itself is still being loaded. It ends with this one. */
export function prepareEvaluator(): void {
  prepared.push(startChild());
}

function takePrepared(): ChildProcess | null {
  const child = prepared.pop();
  return child?.connected === true ? child : null;
}

function startChild(): ChildProcess {
  // What a config prints goes to our standard error: standard output is for the result. It gets no environment, so no secret.
  const child = fork(fileURLToPath(new URL('child.mjs', import.meta.url)), [], {
    env: {},
    execArgv: [],
    stdio: ['ignore', 2, 2, 'ipc'],
    serialization: 'json',
  });
  release(child);
  return child;
}

/** Whoever waits for an answer keeps this program going; an idle process does not. */
function release(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
}

function answerOf(child: ChildProcess, { path, timeoutMs }: { path: string; timeoutMs: number }): Promise<Evaluation> {
  return new Promise((resolve) => {
    const finish = (result: Evaluation): void => {
      signal.removeEventListener('abort', late);
      child.off('message', answered).off('exit', ended).off('error', failed);
      release(child);
      resolve(result);
    };
    const answered = (message: unknown): void => finish(message as Evaluation);
    const ended = (code: number | null, how: string | null): void => finish({ kind: 'gone', how: how === null ? `exit code ${code}` : how });
    const failed = (error: Error): void => finish({ kind: 'gone', how: error.message });
    const late = (): void => finish({ kind: 'slow' });
    const signal = AbortSignal.timeout(timeoutMs);
    signal.addEventListener('abort', late);
    child.ref();
    child.channel?.ref();
    child.on('message', answered).on('exit', ended).on('error', failed);
    child.send({ path, index: indexFile() });
  });
}

/** Our own index, so that a config is read by the version that compiles it. */
function indexFile(): string {
  return fileURLToPath(new URL(`../../../index${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
}
