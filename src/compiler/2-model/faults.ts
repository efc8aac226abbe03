import type { ConfigPart, ConfigPath, Fault } from '../1-load/fault.ts';

/** A fault that stops compiling. */
export function error(code: string, path: ConfigPath, message: string, hint: string | null, part: ConfigPart = 'value'): Fault {
  return { code, severity: 'error', path, message, hint, part };
}

/** A fault that is only told. */
export function warning(code: string, path: ConfigPath, message: string, hint: string | null): Fault {
  return { code, severity: 'warning', path, message, hint };
}
