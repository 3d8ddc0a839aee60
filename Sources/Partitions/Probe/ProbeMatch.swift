internal import Storage

/// One thing that a volume could be taken for, with what speaks for it.
struct ProbeMatch {
    /// The order in which layers wrap each other: what is unlocked or assembled first comes first.
    enum Layer: Int {
        case encryption, softwareRAID, volumeManager, otherRAID, cache, fileSystem, swap, other
    }

    typealias Strength = VolumeSignature.Strength

    var identity: VolumeIdentity
    var layer: Layer
    var strength: Strength
    /// Where its contents end, for what keeps its superblock behind them: a file system that claims more than
    /// this was made later and over it.
    var dataEnd: UInt64?

    init(
        _ identity: VolumeIdentity, _ layer: Layer, _ strength: Strength = .firm, dataEnd: UInt64? = nil
    ) {
        self.identity = identity
        self.layer = layer
        self.strength = strength
        self.dataEnd = dataEnd
    }

    /// What a driver recognised.
    init(_ signature: VolumeSignature) {
        self.init(signature.identity, signature.holdsFiles ? .fileSystem : .other, signature.strength)
    }
}
