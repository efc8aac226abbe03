import { createRequire } from 'node:module';

const load = createRequire(import.meta.url);

/** ts-morph, and with it all of TypeScript: half a second that a config without functions and without faults need not wait for. */
export function tsMorph(): typeof import('ts-morph') {
  return load('ts-morph') as typeof import('ts-morph');
}
