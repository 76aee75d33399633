/** A stream of texts as bytes, each when it is asked for; an error breaks it off. */
export const streamOf = (...chunks: (string | Error)[]): ReadableStream<Uint8Array> => {
  let at = 0;
  return new ReadableStream({
    pull: (controller) => {
      const chunk = chunks[at++];
      if (chunk === undefined) controller.close();
      else if (typeof chunk === "string") controller.enqueue(new TextEncoder().encode(chunk));
      else controller.error(chunk);
    },
  });
};
