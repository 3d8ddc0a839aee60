internal import Partitions
public import Storage

extension DiskImage {
    /// A sentence for each partition that ends behind the disk's end: a disk that was cut off shows nothing else, and its copy is
    /// as short as it is. What cannot be read is said by whoever needs it. Throws when it is to stop.
    public func tableWarnings() throws(StorageError) -> [String] {
        do throws(StorageError) {
            let found = try VolumeDiscovery.discover(
                disks: [device], probe: FileSystemRegistry.builtIn.probe)
            return found.findings.filter { $0.id == ErrorCode(LayoutCode.partitionPastEnd) }.map {
                "\(path.hostBytes.shellText): \($0.message)"
            }
        } catch {
            guard !error.isCancellation else { throw error }
            return []
        }
    }
}
