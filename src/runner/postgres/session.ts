import type { Socket } from 'node:net';
import { Client, type ClientConfig, type QueryResult } from 'pg';
import { type Clock, systemClock } from '../clock.ts';
import { runBatch, runBatches } from './batch.ts';
import { greeting, replicationRole, type SessionRole } from './session-settings.sql.ts';
import { openWay } from './open-way.ts';
import { connectionAttempts, isWorthAnother, requireChannelBinding } from './connection-attempts.ts';
import { connectionFailure, refuseOldServer } from './connection-failure.ts';
import { readConnectionUrl, type Target } from './connection-url.ts';
import { socketOf } from './socket.ts';
import { writtenOut } from './written-out.ts';
import { askBackend, type BackendIdentity, endBackendAt, type Expectation, watchPeer } from './watchdog.ts';
import type { Statement, Result } from './statement.ts';

/** A connection with pinned settings. The only kind of connection that this project opens. */
export type Session = {
  /** The database's name in the config. */
  readonly database: string;
  readonly serverMajor: number;
  /** The server's, of this database. */
  readonly encoding: string;
  readonly backendPid: number;
  /** False once the connection is lost or closed. */
  readonly isOpen: () => boolean;
  /** One statement, or several without values in one text (then the last one's result). With a name it is prepared on first use and kept, as in `batch`. */
  query(text: string, values?: readonly (string | null)[], name?: string): Promise<Result>;
  /**
   * Statements in one round trip, in order, each with rows as lists. A failed statement fails the batch with its error after
   * all have been answered; inside a transaction block the rest then fail too and a COMMIT rolls back.
   */
  batch(statements: readonly Statement[]): Promise<readonly Result[]>;
  /** Several batches in one round trip, each with an outcome of its own. */
  batches(lists: readonly (readonly Statement[])[]): Promise<readonly PromiseSettledResult<readonly Result[]>[]>;
  /** Statements in one message, in order, each one statement alone: for what is asked once. The first that fails ends it. Rows are as of `query`. */
  together(statements: readonly Statement[]): Promise<readonly Result[]>;
  /** The driver's client, for COPY streams and notifications (`runner/postgres` only). */
  readonly client: Client;
  /** Lets the watchdog know what is under way on the driver's client. */
  watch<T>(expected: Expectation, work: () => Promise<T>): Promise<T>;
  onNotification(listener: (payload: string) => void): void;
  onLost(listener: (error: Error) => void): void;
  close(): Promise<void>;
  /** Drops the connection without waiting for anything. */
  destroy(): void;
};

export type ConnectOptions = {
  readonly database: string;
  /** Name of the environment variable, for messages. */
  readonly variable: string;
  readonly url: string;
  readonly role: SessionRole;
  /** For what the connection string leaves open: PGSSLMODE and the like. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Give up connecting after so many milliseconds. */
  readonly timeoutMs?: number;
  /** The machine's by default. */
  readonly clock?: Clock;
};

const CONNECT_MS = 10_000;
/** How long a goodbye may take. The other end of a dead connection never answers it. */
const CLOSE_MS = 1_000;
const asText = { getTypeParser: () => (value: string) => value };

/** Opens a session: TLS as the connection string says, TCP keepalive on both ends, settings of its role pinned, server version checked. */
export async function connect(options: ConnectOptions): Promise<Session> {
  const target = readConnectionUrl(options.url, options, options.env ?? {});
  const [first, second] = await connectionAttempts(target, options);
  if (first === undefined) throw new Error('no way to connect');
  try {
    const { way, stream } = await openWay(first, second, { clock: options.clock ?? systemClock, timeoutMs: timeoutOf(options, target) });
    return await connectBy(way.config, options, target, stream);
  } catch (error) {
    if (second === undefined || !isWorthAnother(error, first)) throw connectionFailure(options, error);
  }
  try {
    return await connectBy(second.config, options, target);
  } catch (error) {
    throw connectionFailure(options, error);
  }
}

/** By a stream that is connected already, where there is one. */
async function connectBy(way: ClientConfig, options: ConnectOptions, target: Target, stream: Socket | null = null): Promise<Session> {
  const client = new Client({ ...way, ...clientConfig(options, target), ...(stream === null ? {} : { ssl: false, stream: () => stream }) });
  const binding = target.channelBinding === 'require' ? requireChannelBinding(client) : null;
  const lost = lossOf(client);
  try {
    await client.connect();
    const greeted = await withinTime(options, client, () => greet(options, client));
    return makeSession({ options, way, client, lost, ...greeted });
  } catch (error) {
    destroySocket(client);
    throw binding?.refusal() ?? error;
  }
}

async function greet({ role, database }: ConnectOptions, client: Client): Promise<Greeting> {
  const { rows } = await client.query<{ version: string; pid: string; started: string; encoding: string; lends: string }>(greeting(role));
  const facts = rows[0];
  const serverMajor = Math.floor(Number(facts?.version) / 10000);
  refuseOldServer(database, serverMajor);
  if (role === 'target') await client.query(replicationRole({ major: serverMajor, lendsReplicationRole: facts?.lends === 't' }));
  return { serverMajor, encoding: facts?.encoding ?? '', backend: { pid: Number(facts?.pid), started: facts?.started ?? '' } };
}

/** A connection that dies between its first answers is not waited for. */
async function withinTime<T>({ clock = systemClock, timeoutMs = CONNECT_MS }: ConnectOptions, client: Client, work: () => Promise<T>): Promise<T> {
  const done = new AbortController();
  const cut = async (): Promise<void> => {
    await clock.sleep(timeoutMs, done.signal);
    if (!done.signal.aborted) destroySocket(client);
  };
  void cut();
  return work().finally(() => done.abort());
}

function timeoutOf({ timeoutMs }: ConnectOptions, { connectTimeoutMs }: Target): number {
  return timeoutMs ?? connectTimeoutMs ?? CONNECT_MS;
}

function clientConfig(options: ConnectOptions, target: Target): ClientConfig {
  return {
    application_name: `sarrio ${options.role}`,
    connectionTimeoutMillis: timeoutOf(options, target),
    keepAlive: true,
    keepAliveInitialDelayMillis: 5_000,
    types: asText,
    pipeline: false,
  };
}

type Loss = { readonly listen: (listener: (error: Error) => void) => void; readonly report: (error: Error) => void; readonly isLost: () => boolean };

function lossOf(client: Client): Loss {
  const listeners: ((error: Error) => void)[] = [];
  let lost: Error | null = null;
  const report = (error: Error): void => {
    if (lost) return;
    lost = error;
    for (const listener of listeners) listener(error);
  };
  client.on('error', report);
  client.on('end', () => report(new Error('the connection was closed')));
  // Whoever begins to listen after the loss would wait for ever.
  const listen = (listener: (error: Error) => void): void => {
    if (lost) listener(lost);
    else listeners.push(listener);
  };
  return { listen, report, isLost: () => lost !== null };
}

type Greeting = { readonly serverMajor: number; readonly encoding: string; readonly backend: BackendIdentity };
type SessionParts = Greeting & { readonly options: ConnectOptions; readonly way: ClientConfig; readonly client: Client; readonly lost: Loss };

function makeSession({ options, way, client, lost, serverMajor, encoding, backend }: SessionParts): Session {
  const destroy = (error: Error): void => {
    // At once, not when the socket tells: a query sent after this would wait for ever.
    lost.report(error);
    destroySocket(client);
  };
  const watch = startWatch({ options, way, client, lost, backend, destroy });
  return {
    database: options.database,
    serverMajor,
    encoding,
    backendPid: backend.pid,
    client,
    watch,
    isOpen: () => !lost.isLost(),
    query: (text, values, name) =>
      watch(STATEMENT, async () => {
        const answer: QueryResult | QueryResult[] = values
          ? await client.query({ text, values: [...values], ...(name ? { name } : {}) })
          : await client.query(text);
        return toResult(Array.isArray(answer) ? answer[answer.length - 1] : answer);
      }),
    batch: (statements) => watch(STATEMENT, () => runBatch(client, statements)),
    batches: (lists) => watch(STATEMENT, () => runBatches(client, lists)),
    together: (statements) =>
      watch(STATEMENT, async () => {
        const answer: QueryResult | QueryResult[] = await client.query(statements.map(writtenOut).join(';\n'));
        return (Array.isArray(answer) ? answer : [answer]).map(toResult);
      }),
    onNotification: (listener) => void client.on('notification', (message) => listener(message.payload ?? '')),
    onLost: lost.listen,
    close: () => closeInTime(client, lost, options.clock ?? systemClock),
    destroy: () => destroy(new Error('the connection was cut')),
  };
}

const STATEMENT: Expectation = { isSent: () => true, isTaking: () => true };

/** Begins to watch over the connection; returns what tells of work under way. */
function startWatch(parts: Omit<SessionParts, 'serverMajor' | 'encoding'> & { readonly destroy: (error: Error) => void }): Session['watch'] {
  const { options, way, client, lost, backend, destroy } = parts;
  const underWay = new Set<{ readonly expectation: Expectation }>();
  const ended = new AbortController();
  lost.listen(() => ended.abort());
  const { stream } = socketOf(client);
  const watched = {
    isOpen: () => !lost.isLost(),
    expected: () => [...underWay].map(({ expectation }) => expectation),
    traffic: () => stream.bytesRead + stream.bytesWritten,
    ask: () => askBackend(way, backend),
    giveUp: (error: Error) => {
      destroy(error);
      void endBackendAt(way, backend);
    },
  };
  void watchPeer(watched, options.clock ?? systemClock, ended.signal);
  return async (expectation, work) => {
    const entry = { expectation };
    underWay.add(entry);
    try {
      return await work();
    } finally {
      underWay.delete(entry);
    }
  };
}

async function closeInTime(client: Client, lost: Loss, clock: Clock): Promise<void> {
  const closed = new AbortController();
  const closing = client
    .end()
    .catch(lost.report)
    .finally(() => closed.abort());
  await Promise.race([closing, clock.sleep(CLOSE_MS, closed.signal)]);
  lost.report(new Error('the connection was closed'));
  destroySocket(client);
}

function toResult(answer: QueryResult | undefined): Result {
  return { rows: answer?.rows ?? [], lists: [], count: answer?.rowCount ?? 0, command: answer?.command ?? '' };
}

/** Closes the socket at once: a client in the middle of a COPY or of a statement cannot say goodbye in the protocol. */
function destroySocket(client: Client): void {
  socketOf(client).stream.destroy();
}
