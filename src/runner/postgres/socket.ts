import type { Socket } from 'node:net';
import type { Client } from 'pg';

/** The driver keeps its socket to itself. TLS replaces it while connecting, so it is asked for when it is needed. */
export function socketOf(client: Client): { readonly stream: Socket } {
  return (client as unknown as { connection: { readonly stream: Socket } }).connection;
}
