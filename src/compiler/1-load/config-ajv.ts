import { createRequire } from 'node:module';
import type { Ajv2020, CodeOptions } from 'ajv/dist/2020.js';
import { QUICK_TO_COMPILE } from '../../plan/json-schema.ts';

/** What compiles the schema of configs, here or in the build. Loaded when it is asked for: a built program has the check of its own schema already. */
export function configAjv(code: CodeOptions = QUICK_TO_COMPILE.code): Ajv2020 {
  const { Ajv2020: Compiler, _ } = createRequire(import.meta.url)('ajv/dist/2020.js') as typeof import('ajv/dist/2020.js');
  const ajv = new Compiler({ allErrors: true, verbose: true, strictTypes: false, ...QUICK_TO_COMPILE, code });
  ajv.addKeyword({ keyword: 'isHandler', code: (context) => context.fail(_`typeof ${context.data} != "function"`) });
  return ajv;
}
