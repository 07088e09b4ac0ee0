declare module 'express4' {
  // The types of Express 5: what the tests use is in both.
  import express from 'express'
  export default express
}
