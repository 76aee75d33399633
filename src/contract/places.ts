import type { Place } from "../core/diagnostic.ts";
import type { BundledDocument } from "../core/operation.ts";

/** Where what stands in the public document was written: in the policies, or in the document of a service. */
export class Places {
  readonly #places = new Map<string, Place>();
  readonly #copies = new Map<string, { readonly document: BundledDocument; readonly pointer: string }>();
  readonly #top: Place;

  constructor(top: Place) {
    this.#top = top;
  }

  /** Says where all below a JSON Pointer of the public document was written. */
  set(pointer: string, place: Place): void {
    this.#places.set(pointer, place);
  }

  /** Says of which part of a service's document all below a JSON Pointer is a copy. */
  copied(at: string, document: BundledDocument, pointer: string): void {
    this.#copies.set(at, { document, pointer });
  }

  /** The place of the nearest thing that is known. */
  placeOf(pointer: string): Place {
    for (let at = pointer; ; at = at.slice(0, at.lastIndexOf("/"))) {
      const copy = this.#copies.get(at);
      if (copy !== undefined) return copy.document.placeOf(copy.pointer + pointer.slice(at.length));
      const place = this.#places.get(at);
      if (place !== undefined) return place;
      if (at === "") return this.#top;
    }
  }
}
