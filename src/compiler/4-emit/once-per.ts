/**
 * Makes a value once for each part that is asked about. The statements of one table are made one after the other and share many pieces,
 * so only the last answer is kept; parts are never changed, so it is the same one.
 */
export function oncePer<Part extends object, Made>(make: (part: Part) => Made): (part: Part) => Made {
  let last: { readonly part: Part; readonly made: Made } | null = null;
  return (part) => {
    if (last?.part !== part) last = { part, made: make(part) };
    return last.made;
  };
}
