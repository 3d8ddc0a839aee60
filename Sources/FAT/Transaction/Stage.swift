internal import Storage

/// A part of a change: operations that need no order among each other, written together.
///
/// | phase | writes | a cut in it leaves |
/// |---|---|---|
/// | contents | clusters that were free | the old volume |
/// | allocated | their entries in the tables | lost clusters; tables that differ |
/// | linked | directories get their new clusters | the same |
/// | old names | names of what moves without a copy go | the same; what moves is lost clusters for now |
/// | long names | pieces of long names in other sectors than the file's entry; ".." of directories that move | the same; pieces of a long name that belong to no file |
/// | names | entries: one sector each | the same; each file old or new |
/// | moved names | names of what was copied to a new one go | the file with both names, each with its own clusters |
/// | freed | entries of clusters that nothing refers to any more; what is left of long names | lost clusters; tables that differ |
///
/// An operation adds to the phases in this order, so that it may go on in the next stage where this one cannot take it.
struct Stage: Sendable {
    enum Phase: Int, CaseIterable, Comparable, Sendable {
        case contents, allocated, linked, oldNames, longNames, names, movedNames, freed

        static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }

        /// What errors call it.
        var name: String {
            switch self {
            case .contents: "contents"
            case .allocated: "allocated"
            case .linked: "linked"
            case .oldNames: "old names"
            case .longNames: "long names"
            case .names: "names"
            case .movedNames: "moved names"
            case .freed: "freed"
            }
        }
    }

    /// Bytes to change in what is there by then.
    enum Patch: Sendable {
        /// The number of a cluster, in every table that is kept.
        case table(UInt32, UInt32)
        case bytes(UInt64, [UInt8])
    }

    /// What a patch changes.
    enum Target: Hashable, Sendable {
        case table(UInt32)
        case bytes(UInt64)
    }

    /// A name that the stage takes away: until it has ended another file must not get it.
    struct GoneName: Hashable, Sendable {
        let directory: DirectoryPlace
        let folded: [UInt16]
    }

    private(set) var patches: [Phase: [Patch]] = [:]
    /// Contents of files, written as they are.
    private(set) var contents: [OrderedWrites.Write] = []
    /// In which phase something was changed last.
    private var latest: [Target: Phase] = [:]
    var goneNames: Set<GoneName> = []
    /// Clusters that are free when it has ended.
    var freed: [UInt32] = []
    /// Files move in it.
    var moves = false

    var isEmpty: Bool { patches.isEmpty && contents.isEmpty }

    /// Whether a patch can be added: what it changes is not changed in a later phase already.
    func takes(_ target: Target, in phase: Phase) -> Bool { latest[target].map { $0 <= phase } ?? true }

    mutating func add(_ patch: Patch, _ target: Target, in phase: Phase) {
        patches[phase, default: []].append(patch)
        latest[target] = phase
    }

    mutating func add(contents bytes: ArraySlice<UInt8>, at offset: UInt64) {
        contents.append(.init(offset: offset, slice: bytes))
    }
}
