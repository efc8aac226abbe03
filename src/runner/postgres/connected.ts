import { channel } from 'node:diagnostics_channel';

/** A session that was opened. The connection string stands in none of it. */
export type Connected = {
  readonly database: string;
  readonly variable: string;
  readonly role: string;
  readonly user: string;
  readonly serverMajor: number;
  readonly backendPid: number;
  readonly ms: number;
};

/** Told of every session, for `--verbose`; costs nothing while nobody listens. */
export const CONNECTED = channel('sarrio:connected');
