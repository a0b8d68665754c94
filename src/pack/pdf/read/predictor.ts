/** Dimensions of the samples behind a predictor (ISO 32000-1, table 8). */
export interface PredictorParms {
  readonly predictor: number
  readonly colors: number
  readonly bitsPerComponent: number
  readonly columns: number
}

/**
 * Undoes the PNG predictors (10 to 15): every row begins with its filter type (W3C PNG, 9). Throws RangeError where
 * the length is not a number of rows, and for the TIFF predictor.
 */
export function undoPredictor(data: Buffer, parms: PredictorParms): Buffer {
  if (parms.predictor <= 1) return data
  if (parms.predictor < 10) throw new RangeError(`predictor ${parms.predictor} is not supported`)
  const pixelBytes = Math.max(1, (parms.colors * parms.bitsPerComponent) >> 3)
  const rowBytes = Math.ceil((parms.colors * parms.bitsPerComponent * parms.columns) / 8)
  const rows = Math.floor(data.length / (rowBytes + 1))
  const out = Buffer.alloc(rows * rowBytes)
  for (let row = 0; row < rows; row++) {
    const from = row * (rowBytes + 1)
    const filter = data[from] ?? 0
    undoRow(
      out,
      { at: row * rowBytes, rowBytes, pixelBytes, filter },
      data.subarray(from + 1, from + 1 + rowBytes),
    )
  }
  return out
}

interface Row {
  readonly at: number
  readonly rowBytes: number
  readonly pixelBytes: number
  readonly filter: number
}

function undoRow(out: Buffer, row: Row, source: Buffer): void {
  for (let i = 0; i < row.rowBytes; i++) {
    const left = i < row.pixelBytes ? 0 : (out[row.at + i - row.pixelBytes] ?? 0)
    const up = row.at === 0 ? 0 : (out[row.at + i - row.rowBytes] ?? 0)
    const corner =
      row.at === 0 || i < row.pixelBytes ? 0 : (out[row.at + i - row.rowBytes - row.pixelBytes] ?? 0)
    out[row.at + i] = (source[i] ?? 0) + predicted(row.filter, left, up, corner)
  }
}

function predicted(filter: number, left: number, up: number, corner: number): number {
  if (filter === 1) return left
  if (filter === 2) return up
  if (filter === 3) return (left + up) >> 1
  if (filter !== 4) return 0
  const estimate = left + up - corner
  const [a, b, c] = [Math.abs(estimate - left), Math.abs(estimate - up), Math.abs(estimate - corner)]
  return a <= b && a <= c ? left : b <= c ? up : corner
}
