/** A figure is one JSON object: what was measured, on whom, and numbers whose names end in their units. */
export type Figure = { readonly workload: string } & Readonly<Record<string, string | number | boolean>>;

export interface Figures {
  readonly said: readonly Figure[];
  readonly say: (figure: Figure) => void;
}

/** Each as a line of `print`, and kept. */
export function collectFigures(print: (line: string) => void): Figures {
  const said: Figure[] = [];
  return {
    said,
    say(figure) {
      said.push(figure);
      print(JSON.stringify(figure));
    },
  };
}
