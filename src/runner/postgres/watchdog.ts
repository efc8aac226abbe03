import { Client, type ClientConfig } from 'pg';
import type { Clock } from '../clock.ts';
import { sqlState } from './connection-failure.ts';
import { backendState, endBackend } from './watchdog.sql.ts';

/** How often a connection is looked at, and how long an answer may stay out before its server is asked by another connection. */
const LOOK_EVERY_MS = 3_000;
const QUIET_MS = 8_000;
/** A server that does not even take a connection within this time is not there. */
const ASK_MS = 10_000;

/** What something under way expects of the connection. A statement awaits its answer; a COPY may be held up by its other end. */
export type Expectation = {
  /** Everything that we have is sent: the server has no reason to wait for us. */
  readonly isSent: () => boolean;
  /** We take whatever comes: the server has no reason to wait until we have read. */
  readonly isTaking: () => boolean;
};

/** An open connection, as the watchdog sees it. */
export type Watched = {
  readonly isOpen: () => boolean;
  /** What is under way; empty when nobody waits for the server. */
  readonly expected: () => readonly Expectation[];
  /** Bytes that went over the connection, both ways. */
  readonly traffic: () => number;
  /** Asks the server by another connection. */
  readonly ask: () => Promise<Backend>;
  readonly giveUp: (error: Error) => void;
};

/** `silent`: the server does not know that we wait, or it cannot be reached. */
export type Backend =
  | { readonly kind: 'gone' }
  | { readonly kind: 'unreachable' }
  | { readonly kind: 'there'; readonly state: string; readonly waitsFor: string };

/**
 * Finds dead peers. A connection may be dead without an end of it ever arriving: a firewall forgot it, a proxy or a machine froze. TCP
 * keepalive finds some of these while nothing is under way, and nothing bounds the wait for the answer to a statement, which may
 * rightly take hours. So when an answer stays out, the server is asked by another connection whether it is at work; one that has
 * nothing to do, or that cannot be reached, twice in a row, will never answer.
 */
export async function watchPeer(watched: Watched, clock: Clock, ended: AbortSignal): Promise<void> {
  const seen = { traffic: -1, since: clock.now(), suspicions: 0 };
  while (watched.isOpen()) {
    await clock.sleep(LOOK_EVERY_MS, ended);
    if (!watched.isOpen()) return;
    if (watched.expected().length === 0 || watched.traffic() !== seen.traffic) {
      Object.assign(seen, { traffic: watched.traffic(), since: clock.now(), suspicions: 0 });
      continue;
    }
    if (clock.now() - seen.since < QUIET_MS) continue;
    const backend = await watched.ask();
    if (watched.traffic() !== seen.traffic) continue;
    seen.suspicions = isAtWork(backend, watched.expected()) ? 0 : seen.suspicions + 1;
    if (seen.suspicions === 0) seen.since = clock.now();
    if (seen.suspicions >= 2) watched.giveUp(new Error(silenceText(backend)));
  }
}

/** Whether an answer may still come. */
export function isAtWork(backend: Backend, expected: readonly Expectation[]): boolean {
  if (backend.kind !== 'there') return false;
  if (backend.state.startsWith('idle')) return expected.length === 0;
  if (backend.waitsFor === 'ClientRead') return expected.some(({ isSent }) => !isSent());
  if (backend.waitsFor === 'ClientWrite') return expected.some(({ isTaking }) => !isTaking());
  return true;
}

/** Which backend serves a connection. */
export type BackendIdentity = { readonly pid: number; readonly started: string };

/** Asks the server, by the way that the connection took, about one of its backends. A refusal by the server itself says nothing about the backend: it counts as work. */
export async function askBackend(way: ClientConfig, { pid, started }: BackendIdentity): Promise<Backend> {
  try {
    const row = await askOnce(way, backendState, [pid, started]);
    return row ? { kind: 'there', state: row['state'] ?? '', waitsFor: row['wait_event'] ?? '' } : { kind: 'gone' };
  } catch (error) {
    return sqlState(error) === null ? { kind: 'unreachable' } : { kind: 'there', state: '', waitsFor: '' };
  }
}

/** Best effort: a server that cannot be reached finds out by its own keepalive. */
export async function endBackendAt(way: ClientConfig, { pid, started }: BackendIdentity): Promise<void> {
  await askOnce(way, endBackend, [pid, started]).catch(forgetLoss);
}

async function askOnce(way: ClientConfig, text: string, values: readonly unknown[]): Promise<Record<string, string | null> | undefined> {
  const client = new Client({ ...way, application_name: 'sarrio watchdog', connectionTimeoutMillis: ASK_MS, query_timeout: ASK_MS });
  client.on('error', forgetLoss);
  try {
    await client.connect();
    return (await client.query<Record<string, string | null>>(text, [...values])).rows[0];
  } finally {
    client.end().catch(forgetLoss);
  }
}

/** The question is asked again on a connection of its own. */
function forgetLoss(): null {
  return null;
}

function silenceText(backend: Backend): string {
  if (backend.kind === 'gone') return 'the server no longer knows this connection';
  if (backend.kind === 'unreachable') return 'the server no longer answers';
  return 'the connection no longer carries what is sent';
}
