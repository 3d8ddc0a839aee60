package import Storage

/// The one place that says what a volume holds.
///
/// Every prober is asked, so that a volume with two signatures is seen to have two. The candidates come in the
/// order in which a system would take them: LUKS, MD RAID, LVM, other RAID, caches, file systems, swap; what only
/// a leftover explains comes last. The facts are blkid's (util-linux 2.40) unless a prober says otherwise.
///
/// File systems are recognised by their drivers; the probers here are for what has none.
package struct VolumeProbe: Sendable {
    private let drivers: [any FileSystemDriver.Type]

    /// A prober that knows the file systems of `drivers`.
    package init(_ drivers: [any FileSystemDriver.Type]) { self.drivers = drivers }

    /// What `device` could be taken for, likeliest first; empty when no signature is known. Throws what reading
    /// throws.
    package func candidates(_ device: any BlockDevice) throws(StorageError) -> [VolumeIdentity] {
        guard device.byteCount >= 512 else { return [] }
        let reader = try ProbeReader(device)
        var matches: [ProbeMatch] = []
        matches += try EncryptionProbe.matches(reader)
        matches += try RAIDProbe.matches(reader)
        matches += try VolumeManagerProbe.matches(reader)
        matches += try CacheProbe.matches(reader)
        for driver in drivers {
            if let signature = try driver.identify(reader.known) { matches.append(ProbeMatch(signature)) }
        }
        matches += try BtrfsProbe.matches(reader)
        matches += try NTFSProbe.matches(reader)
        matches += try OpticalProbe.matches(reader)
        matches += try ZFSProbe.matches(reader)
        matches += try PlainSignatures.matches(reader)
        matches += try SwapProbe.matches(reader)
        return Self.order(matches).map(\.identity)
    }

    /// Whether the first 512 bytes of a disk are the boot sector of a file system, which may look like a partition table.
    func isBootSector(_ sector: [UInt8]) -> Bool { drivers.contains { $0.isBootSector(sector) } }

    /// The likeliest candidate, or an identity of kind `unknown`.
    package static func identity(_ candidates: [VolumeIdentity]) -> VolumeIdentity {
        candidates.first ?? VolumeIdentity(kind: .unknown)
    }

    private static func order(_ matches: [ProbeMatch]) -> [ProbeMatch] {
        matches.enumerated().sorted { left, right in
            key(left.element, left.offset, among: matches).lexicographicallyPrecedes(
                key(right.element, right.offset, among: matches))
        }.map(\.element)
    }

    private static func key(_ match: ProbeMatch, _ index: Int, among all: [ProbeMatch]) -> [Int] {
        [isLeftOver(match, among: all) ? 1 : 0, match.layer.rawValue, -match.strength.rawValue, index]
    }

    /// A superblock behind the data is left over when a file system in front claims the bytes it lies in; a weak
    /// match when there is a better one.
    private static func isLeftOver(_ match: ProbeMatch, among all: [ProbeMatch]) -> Bool {
        if match.strength == .weak { return all.contains { $0.strength != .weak } }
        guard let dataEnd = match.dataEnd else { return false }
        return all.contains { other in
            guard other.layer == .fileSystem, other.strength != .weak,
                let size = other.identity.byteCount
            else { return false }
            return size > dataEnd
        }
    }
}
