/**
 * Goes on with a value that may still be on its way. What is there already is passed on at once: no promise is made for it.
 * A rejection passes through.
 */
export const after = <T, R>(value: T | Promise<T>, goOn: (value: T) => R | Promise<R>): R | Promise<R> =>
  value instanceof Promise ? value.then(goOn) : goOn(value);
