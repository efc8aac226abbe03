import { failure, SarrioError } from './errors.ts';
import { assertFormat } from './format-version.ts';
import { schemaCheck, schemaFaults } from './json-schema.ts';
import { unreadable } from './text-span.ts';
import { LOCK_FORMAT, type SchemaLock } from './schema-lock.ts';

const REMAKE = 'Run `sarrio pull` again.';
const checkLock = schemaCheck('schema-lock.schema.json');

/** `schema.lock.json` as a value. `file` is the name for messages. */
export function readLock(text: string, file: string): SchemaLock {
  const content = parse(text, file);
  assertFormat({ found: content['format'], ours: LOCK_FORMAT, code: 'SAR303', file, remake: REMAKE });
  const diagnostics = schemaFaults({ code: 'SAR305', file, faults: checkLock(content), hint: REMAKE });
  if (diagnostics.length > 0) throw new SarrioError({ exit: 'invalid', diagnostics });
  return content as unknown as SchemaLock;
}

function parse(text: string, file: string): Record<string, unknown> {
  try {
    const content: unknown = JSON.parse(text);
    return typeof content === 'object' && content !== null ? { ...content } : {};
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const { message, span } = unreadable(text, { file, format: 'JSON', reason });
    throw failure('invalid', { code: 'SAR302', ...(span ? { span } : { where: file }), message, hint: REMAKE, cause: error });
  }
}
