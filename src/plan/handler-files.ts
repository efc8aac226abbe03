import { createHash } from 'node:crypto';

/** SHA-256 (hex) of a handler's file as it is compiled, with LF line ends, so that a CRLF checkout is the same file. */
export function handlerFileHash(text: string): string {
  return createHash('sha256').update(text.replaceAll('\r\n', '\n')).digest('hex');
}
