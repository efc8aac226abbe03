import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { failure } from '../../plan/errors.ts';
import type { Address } from './address.ts';
import type { Health } from './health.ts';
import { metricsText } from './metrics.ts';

export type HealthServer = { readonly url: string; close(): Promise<void> };

/**
 * Answers over HTTP: `/livez` 200 while the process does anything at all; `/readyz` 200 or 503, with the streams as JSON; `/status` the same,
 * always 200; `/metrics` for Prometheus. Whoever reaches the port may ask, so nothing but names of the config, states and counts is in it: why a
 * stream fails, which may show a row, stands in the log and in `sarrio status`.
 * @throws SarrioError (SAR619) when the address cannot be listened on.
 */
export async function serveHealth(address: Address, health: Health): Promise<HealthServer> {
  const server = createServer((request, response) => answer(health, request, response));
  await listen(server, address);
  const { port } = server.address() as AddressInfo;
  const host = address.host.includes(':') ? `[${address.host}]` : address.host;
  return {
    url: `http://${host}:${port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(health: Health, { method, url }: IncomingMessage, response: ServerResponse): void {
  const isRead = method === 'GET' || method === 'HEAD';
  const { status, type, text } = isRead ? replyTo(url?.split('?')[0] ?? '', health) : { status: 405, type: PLAIN, text: 'only GET\n' };
  response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
  response.end(method === 'HEAD' ? undefined : text);
}

const PLAIN = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';

type Reply = { readonly status: number; readonly type: string; readonly text: string };

function replyTo(path: string, health: Health): Reply {
  const report = health.report();
  const json = `${JSON.stringify({ ready: report.isReady, streams: report.streams })}\n`;
  switch (path) {
    case '/livez':
      return { status: 200, type: PLAIN, text: 'ok\n' };
    case '/readyz':
      return { status: report.isReady ? 200 : 503, type: JSON_TYPE, text: json };
    case '/status':
      return { status: 200, type: JSON_TYPE, text: json };
    case '/metrics':
      return { status: 200, type: 'text/plain; version=0.0.4; charset=utf-8', text: metricsText(report) };
    default:
      return { status: 404, type: PLAIN, text: 'there are /livez, /readyz, /status and /metrics\n' };
  }
}

async function listen(server: Server, { host, port }: Address): Promise<void> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, host, resolve);
    });
  } catch (error) {
    const { code } = error as { code?: unknown };
    throw failure('failed', {
      code: 'SAR619',
      message: `cannot listen on ${host}:${port} for --health: ${String(code)}`,
      hint:
        code === 'EADDRINUSE'
          ? 'Another program has that port, perhaps another runner. Choose another one.'
          : 'Choose an address of this machine and a port that this account may use.',
      cause: error,
    });
  }
}
