// The npm package has no types.
declare module 'workerd' {
  const workerd: {
    /** The path of the executable. */
    default: string
    version: string
    compatibilityDate: string
  }
  export default workerd
}
