internal import Storage

/// A volume to be read: as it is, or as a transaction will leave it.
protocol VolumeView: FileTree {
    var geometry: Geometry { get }
    var codePage: CodePage { get }
    /// Bytes of tables and directories. Throws `corrupt` behind the device's end.
    func metadata(at offset: UInt64, count: Int) throws(StorageError) -> [UInt8]
    /// Bytes of a file's clusters.
    func readData(
        into target: inout MutableRawSpan, from cluster: ClusterNumber, skip: Int
    ) throws(StorageError)
    /// A chain that was read before, by its first cluster.
    func keptChain(_ first: ClusterNumber) -> Chain?
    func keep(_ chain: Chain, of first: ClusterNumber, readIn generation: UInt64)
    /// How many changes were committed before.
    var generation: UInt64 { get }
}
