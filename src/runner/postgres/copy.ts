import { pipeline } from 'node:stream/promises';
import { type CopyStreamQuery, type CopyToStreamQuery, from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Session } from './session.ts';
import type { Expectation } from './watchdog.ts';

export type CopyEnd = { readonly session: Session; readonly text: string };

/** What a broken copy leaves behind: the error, and which side spoke first. */
export class CopyError extends Error {
  override readonly name = 'CopyError';
  readonly side: 'source' | 'target';

  constructor(side: 'source' | 'target', cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause });
    this.side = side;
  }
}

/** Resolves when so many bytes more may pass. */
export type Throttle = (bytes: number) => Promise<void>;

/**
 * Streams `COPY … TO STDOUT` of one session into `COPY … FROM STDIN` of another as bytes, at the pace of the slower side; the rows
 * are never parsed. After a failure the target session can go on (its transaction has failed), the source session is destroyed:
 * a COPY that is not read to its end cannot be left otherwise.
 * @returns Number of rows.
 * @throws CopyError
 */
export async function copyBetween(source: CopyEnd, target: CopyEnd, throttle: Throttle | null = null): Promise<number> {
  const reader = source.session.client.query(copyTo(source.text));
  const writer = target.session.client.query(copyFrom(target.text));
  let side: 'source' | 'target' | null = null;
  reader.on('error', () => {
    side ??= 'source';
  });
  writer.on('error', () => {
    side ??= 'target';
  });
  const reading: Expectation = { isSent: () => true, isTaking: () => !writer.writableNeedDrain };
  const writing: Expectation = { isSent: () => writer.writableNeedDrain || writer.writableEnded, isTaking: () => true };
  try {
    await source.session.watch(reading, () => target.session.watch(writing, () => through({ reader, writer, throttle })));
    return writer.rowCount ?? 0;
  } catch (error) {
    source.session.destroy();
    throw new CopyError(side ?? 'source', error);
  }
}

function through({ reader, writer, throttle }: { reader: CopyToStreamQuery; writer: CopyStreamQuery; throttle: Throttle | null }): Promise<void> {
  if (throttle === null) return pipeline(reader, writer);
  const slowly = async function* (chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      await throttle(chunk.length);
      yield chunk;
    }
  };
  return pipeline(reader, slowly, writer);
}

/** Rows for `COPY … FROM STDIN` in text format, from memory. @returns Number of rows. */
export async function copyInto({ session, text }: CopyEnd, lines: readonly string[]): Promise<number> {
  const writer = session.client.query(copyFrom(text));
  const writing: Expectation = { isSent: () => writer.writableNeedDrain || writer.writableEnded, isTaking: () => true };
  await session.watch(writing, () => pipeline(chunksOf(lines), writer));
  return writer.rowCount ?? 0;
}

/** Lines that are handed over at once. */
const LINES = 500;

function* chunksOf(lines: readonly string[]): Generator<Buffer> {
  for (let at = 0; at < lines.length; at += LINES) yield Buffer.from(lines.slice(at, at + LINES).join(''));
}

/** Values as columns of COPY's text format, without the end of the line. */
export function copyColumns(values: readonly (string | null)[]): string {
  let line = '';
  for (const [place, value] of values.entries()) line += `${place === 0 ? '' : '\t'}${value === null ? '\\N' : escaped(value)}`;
  return line;
}

const SPECIAL = /[\\\t\n\r]/;
const EACH_SPECIAL = /[\\\t\n\r]/g;
const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\t': '\\t', '\n': '\\n', '\r': '\\r' };

function escaped(value: string): string {
  return SPECIAL.test(value) ? value.replace(EACH_SPECIAL, (found) => ESCAPES[found] ?? found) : value;
}
