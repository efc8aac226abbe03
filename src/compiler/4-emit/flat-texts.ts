/**
 * The same value, with each text in it in one piece. V8 keeps a text that was put together as a tree of its parts until somebody looks into it,
 * and the collector moves every part of it that is still young: of a thousand tables that took a fifth of the time of compiling.
 */
export function flatTexts<Value>(value: Value): Value {
  if (typeof value === 'string') value.charCodeAt(0);
  else if (typeof value === 'object' && value !== null) for (const part of Object.values(value)) flatTexts(part);
  return value;
}
