/**
 * A value as data that can be sent to another process: functions become numbers, the same function the same one. What is no plain object
 * goes as what it has of its own, so that a check can say what is wrong with it.
 */
export function encode(value) {
  const functions = new Map();
  const around = new Set();
  const visit = (each) => {
    if (typeof each === 'function') {
      if (!functions.has(each)) functions.set(each, functions.size);
      return { t: 'function', v: functions.get(each) };
    }
    if (typeof each === 'symbol') return { t: 'symbol' };
    if (typeof each === 'bigint') return { t: 'bigint', v: String(each) };
    if (typeof each === 'number' && !Number.isFinite(each)) return { t: 'number', v: String(each) };
    if (each === undefined) return { t: 'undefined' };
    if (typeof each !== 'object' || each === null) return { t: 'plain', v: each };
    if (around.has(each)) throw new Error('the config contains itself');
    around.add(each);
    const encoded = Array.isArray(each)
      ? { t: 'list', v: Array.from(each, visit) }
      : { t: 'object', v: Object.keys(each).map((key) => [key, visit(each[key])]) };
    around.delete(each);
    return encoded;
  };
  return visit(value);
}
