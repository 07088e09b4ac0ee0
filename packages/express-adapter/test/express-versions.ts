import express from 'express'
import express4 from 'express4'

/** Every version that the adapter is for, with its name. */
export const expressVersions: [string, typeof express][] = [
  ['Express 5', express],
  ['Express 4', express4],
]
