/** Where a runtime gets the files of a package from; the embedded registry and an HTTP registry both are one. */
export interface PackageSource {
  /** The bytes as pushed, or undefined when there is no such workflow. */
  open(workflowId: string): Promise<StoredPackage | undefined>
}

export interface StoredPackage {
  /** `sha256:<hex>` of the bytes. */
  readonly digest: string
  readonly mediaType: string
  readonly chunks: AsyncIterable<Uint8Array>
}
