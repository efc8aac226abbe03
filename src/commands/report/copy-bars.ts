import { type RunnerEvent, type StreamName, streamText } from '../../runner/events.ts';
import { count, seconds } from '../../runner/print-measures.ts';

/** A terminal: what is written to it, and how many columns it has at the moment. */
export type Screen = { readonly write: (text: string) => void; readonly width: () => number };

/** More tables at the same time are only counted. */
const BARS = 8;
const CELLS = 24;

/** A table that is being copied; `total` is null until its first range is there, and always of one that comes as a whole. */
type Bar = { readonly stream: StreamName; readonly table: string; readonly progress: Extract<RunnerEvent, { kind: 'copy-range' }> | null };

/**
 * Lines as they come, and under them a bar for each table that is being copied, drawn anew with every event. Ranges have no lines here:
 * the bar shows them.
 */
export function copyBars(screen: Screen): (event: RunnerEvent, line: string | null) => void {
  const bars = new Map<string, Bar>();
  const state = { drawn: 0 };
  return (event, line) => {
    const isInBar = follow(bars, event);
    const text = line === null || isInBar ? '' : `${line}\n`;
    const lines = barLines([...bars.values()], screen.width());
    if (text === '' && lines.length === 0 && state.drawn === 0) return;
    screen.write(`${erase(state.drawn)}${text}${lines.map((each) => `${each}\n`).join('')}`);
    state.drawn = lines.length;
  };
}

/** Whether a bar shows all that the event says. */
function follow(bars: Map<string, Bar>, event: RunnerEvent): boolean {
  switch (event.kind) {
    case 'copy-started':
      bars.set(keyOf(event.stream, event.table), { stream: event.stream, table: event.table, progress: null });
      return false;
    case 'copy-range':
      bars.set(keyOf(event.stream, event.table), { stream: event.stream, table: event.table, progress: event });
      return true;
    case 'copy-finished':
      bars.delete(keyOf(event.stream, event.table));
      return false;
    case 'retry':
      for (const [key, { stream }] of bars) if (streamText(stream) === streamText(event.stream)) bars.delete(key);
      return false;
    case 'stopped':
      bars.clear();
      return false;
    default:
      return false;
  }
}

function keyOf(stream: StreamName, table: string): string {
  return JSON.stringify([stream.sync, stream.source, stream.target, table]);
}

function barLines(bars: readonly Bar[], width: number): readonly string[] {
  const shown = bars.slice(0, BARS).map((bar) => `${barText(bar)}`.slice(0, Math.max(1, width - 1)));
  return bars.length > BARS ? [...shown, `and ${bars.length - BARS} more tables`.slice(0, Math.max(1, width - 1))] : shown;
}

/** `public.orders -> west [######..................] 25 %, 120,000 rows/s, 12.0 s left` */
function barText({ stream, table, progress }: Bar): string {
  const name = `${table} -> ${stream.target}`;
  if (progress === null) return `${name} [${'.'.repeat(CELLS)}]`;
  const { done, total, rowsPerSecond, msLeft } = progress;
  const filled = Math.floor((CELLS * done) / total);
  const share = `${Math.floor((100 * done) / total)} %`;
  return `${name} [${'#'.repeat(filled)}${'.'.repeat(CELLS - filled)}] ${share}, ${count(rowsPerSecond)} rows/s, ${seconds(msLeft)} left`;
}

/** Up so many lines, and away with everything from there on. */
function erase(lines: number): string {
  return lines === 0 ? '' : `\u001b[${lines}A\u001b[0J`;
}
