import { InvalidArgumentError } from 'commander';

/** Where to listen. Port 0 lets the system choose one. */
export type Address = { readonly host: string; readonly port: number };

/** `9187`, `0.0.0.0:9187` or `[::1]:9187` of the command line; this machine alone where no host is named. */
export function parseAddress(text: string): Address {
  const match = /^(?:(\[[0-9a-f:.]+\]|[^:[\]]+):)?(\d{1,5})$/i.exec(text);
  const port = Number(match?.[2]);
  if (match === null || port > 65_535) throw new InvalidArgumentError('Write a port (9187), or a host and a port (0.0.0.0:9187, [::1]:9187).');
  return { host: (match[1] ?? '127.0.0.1').replace(/^\[(.*)\]$/, '$1'), port };
}

export function isAddress(value: unknown): value is Address {
  return typeof value === 'object' && value !== null && 'host' in value && 'port' in value;
}
