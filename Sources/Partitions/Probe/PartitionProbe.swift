internal import Storage

/// A disk's partitions as the prober sees them. What decides on the table asks about them first, and whoever makes volumes of them
/// again: each is looked at once.
struct PartitionProbe {
    let device: any BlockDevice
    let probe: VolumeProbe
    /// The first few that were looked at: whoever decides on the table asks about no more. No dictionary, whose type takes the
    /// runtime longer to make up than these take to be looked through.
    private var known: [(range: Range<UInt64>, candidates: [VolumeIdentity])] = []
    private static let knownLimit = 32

    init(_ device: any BlockDevice, _ probe: VolumeProbe) {
        self.device = device
        self.probe = probe
    }

    /// The bytes of `range`. Throws `misuse` when they do not lie on the disk.
    func slice(_ range: Range<UInt64>) throws(StorageError) -> SliceDevice {
        try SliceDevice(device, range: range)
    }

    /// What they could be taken for (`VolumeProbe.candidates`).
    mutating func candidates(_ range: Range<UInt64>) throws(StorageError) -> [VolumeIdentity] {
        if let known = known.first(where: { $0.range == range }) { return known.candidates }
        let found = try probe.candidates(slice(range))
        if known.count < Self.knownLimit { known.append((range, found)) }
        return found
    }
}
