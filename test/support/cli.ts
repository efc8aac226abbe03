import { execa } from 'execa';
import { program, root } from './build.ts';
import { send } from './process.ts';
import { waitUntil } from './wait.ts';

export type CliOptions = {
  readonly cwd?: string;
  /** Added to the environment of the test, without colours. */
  readonly env?: Readonly<Record<string, string>>;
  /** A command that the program is put behind, such as one that enters a network namespace. */
  readonly within?: readonly string[];
};

export type CliResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

export type RunningSarrio = {
  readonly pid: number;
  /** Everything written so far. */
  stdout(): string;
  stderr(): string;
  /** The first line of either output that matches. Fails at once when the program ends without it. */
  waitFor(line: RegExp, timeoutMs?: number): Promise<string>;
  /** SIGKILL unless told otherwise; returns when the process is gone. */
  kill(signal?: NodeJS.Signals): Promise<CliResult>;
  /** SIGTERM, and its answer. */
  stop(): Promise<CliResult>;
  /** Resolves when the program ends by itself or is killed. */
  readonly ended: Promise<CliResult>;
};

/** Runs the built program to its end. */
export async function sarrio(args: readonly string[], options: CliOptions = {}): Promise<CliResult> {
  return toResult(await spawn(args, options));
}

/** Starts the built program and leaves it running. It is killed with the test process. */
export function startSarrio(args: readonly string[], options: CliOptions = {}): RunningSarrio {
  const child = spawn(args, options);
  const text = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) child[name]?.on('data', (chunk: Buffer) => void (text[name] += chunk.toString()));
  let hasEnded = false;
  const ended = child.then(toResult).finally(() => void (hasEnded = true));
  const end = (signal: NodeJS.Signals): Promise<CliResult> => {
    if (!hasEnded && child.pid) send(child.pid, signal);
    return ended;
  };
  return {
    pid: child.pid ?? 0,
    stdout: () => text.stdout,
    stderr: () => text.stderr,
    waitFor: (line, timeoutMs = 30_000) => waitForLine({ line, timeoutMs, text: () => `${text.stdout}\n${text.stderr}`, hasEnded: () => hasEnded }),
    kill: (signal = 'SIGKILL') => end(signal),
    stop: () => end('SIGTERM'),
    ended,
  };
}

function spawn(args: readonly string[], options: CliOptions) {
  const env = { NO_COLOR: '1', FORCE_COLOR: '0', ...options.env };
  const [first = process.execPath, ...others] = [...(options.within ?? []), process.execPath, program, ...args];
  return execa(first, others, { cwd: options.cwd ?? root, env, reject: false, stdin: 'ignore', maxBuffer: 1e9 });
}

function toResult(answer: { exitCode?: number; stdout: string; stderr: string }): CliResult {
  return { exitCode: answer.exitCode ?? -1, stdout: answer.stdout, stderr: answer.stderr };
}

async function waitForLine(wanted: { line: RegExp; timeoutMs: number; text: () => string; hasEnded: () => boolean }): Promise<string> {
  const find = (): string | undefined =>
    wanted
      .text()
      .split('\n')
      .find((candidate) => wanted.line.test(candidate));
  const isDecided = (): boolean => find() !== undefined || wanted.hasEnded();
  await waitUntil(`sarrio writes ${wanted.line}; so far:\n${wanted.text()}`, isDecided, { timeoutMs: wanted.timeoutMs });
  const found = find();
  if (found === undefined) throw new Error(`sarrio ended without writing ${wanted.line}:\n${wanted.text()}`);
  return found;
}
