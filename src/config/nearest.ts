/** The name that was probably meant, for messages about names that do not exist. */

/** The candidate with the fewest edits to `name`, when there are few enough for a slip of the pen. */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  const wanted = name.toLowerCase()
  let best: string | undefined
  let fewest = Math.floor(name.length / 3) + 1
  for (const candidate of candidates) {
    const edits = editDistance(wanted, candidate.toLowerCase())
    if (edits >= fewest) continue
    fewest = edits
    best = candidate
  }
  return best
}

/** Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b`. */
export function editDistance(a: string, b: string): number {
  const width = b.length + 1
  const cells = new Uint32Array((a.length + 1) * width)
  const at = (row: number, column: number): number => cells[row * width + column] ?? 0
  for (let row = 0; row <= a.length; row++) {
    for (let column = 0; column < width; column++) {
      if (row === 0 || column === 0) {
        cells[row * width + column] = row + column
        continue
      }
      const same = a[row - 1] === b[column - 1] ? 0 : 1
      let edits = Math.min(at(row - 1, column) + 1, at(row, column - 1) + 1, at(row - 1, column - 1) + same)
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      if (swapped) edits = Math.min(edits, at(row - 2, column - 2) + 1)
      cells[row * width + column] = edits
    }
  }
  return at(a.length, b.length)
}
