import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { PURE_GLOBALS } from '../../../../conflict/handlers/pure-globals.ts';

/** A handler's file as the thread runs it; its text was checked against the plan. */
export type HandlerFile = { readonly path: string; readonly text: string; readonly name: string };

/** How a batch of conflicts ended. `at` is the conflict at which the thread died. */
export type ThreadReply =
  | { readonly kind: 'answers'; readonly answers: readonly string[] }
  | { readonly kind: 'broken'; readonly message: string }
  | { readonly kind: 'memory'; readonly at: number }
  | { readonly kind: 'hung'; readonly at: number };

/** The thread that runs handlers. It takes one batch at a time. */
export type Thread = {
  /** JSON texts of conflicts in, JSON texts of answers out. */
  ask(file: string, texts: readonly string[]): Promise<ThreadReply>;
  /** Index of the conflict of the batch that is being decided; -1 before the first one. */
  progress(): number;
  end(): Promise<void>;
};

export function startThread(options: { files: readonly HandlerFile[]; memoryMb: number }): Thread {
  const { files, memoryMb } = options;
  const progress = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(new URL('./worker.mjs', import.meta.url), {
    workerData: { files, realm: realmText(), allowed: PURE_GLOBALS, progress },
    name: 'sarrio-handlers',
    // Nothing of this process is there for the taking: not its environment, nor its arguments, nor its output.
    env: {},
    argv: [],
    execArgv: [],
    stdin: false,
    stdout: true,
    stderr: true,
    resourceLimits: { maxOldGenerationSizeMb: memoryMb, maxYoungGenerationSizeMb: 4, stackSizeMb: 4 },
  });
  const waiting: { settle: (reply: ThreadReply) => void } = { settle: () => undefined };
  worker.on('message', (reply: ThreadReply) => waiting.settle(reply));
  worker.on('error', (error) => waiting.settle(deathOf(error, Atomics.load(progress, 0))));
  worker.on('exit', (code) => waiting.settle({ kind: 'broken', message: `its thread ended with code ${code}` }));
  return {
    ask: (file, texts) => {
      Atomics.store(progress, 0, -1);
      const reply = new Promise<ThreadReply>((resolve) => {
        waiting.settle = resolve;
      });
      worker.postMessage({ file, texts });
      return reply;
    },
    progress: () => Atomics.load(progress, 0),
    end: async () => void (await worker.terminate()),
  };
}

function deathOf(error: unknown, at: number): ThreadReply {
  const isMemory = error instanceof Error && 'code' in error && error.code === 'ERR_WORKER_OUT_OF_MEMORY';
  return isMemory ? { kind: 'memory', at } : { kind: 'broken', message: String(error) };
}

/** As a script: inside, nothing can be imported. */
function realmText(): string {
  return readFileSync(new URL('../../../../conflict/handlers/realm.mjs', import.meta.url), 'utf8').replaceAll(/^export /gm, '');
}
