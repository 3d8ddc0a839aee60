/// A file that is read and never written: what another one holds, seen as a file. Its length is what it is, and every change throws
/// `misuse`, code "read-only".
package protocol ReadAloneFile: ByteFile {}

extension ReadAloneFile {
    /// Read alone.
    package var access: FileAccess { .read }
    /// It is what it is.
    package var hasFixedLength: Bool { true }

    /// Throws `misuse`.
    package func write(_ source: RawSpan, at offset: UInt64) throws(StorageError) { try requireWritable() }
    /// Throws `misuse`.
    package func truncate(to length: UInt64) throws(StorageError) { try requireWritable() }
    /// Nothing to do.
    package func flush() throws(StorageError) {}
}
