internal import GuestTree
internal import Patcher
internal import Storage

/// What a plan's actions do to the space of volumes, in their order.
struct PlanRoom {
    /// By volume.
    private(set) var changes: [Int: [SpaceChange]] = [:]
    /// How long files are that were changed: copies come after.
    private var sizes: [FileKey: UInt64] = [:]
    /// Those where an action before gives back what is not known here: nothing more is counted there.
    private var unknown: Set<Int> = []
    /// Directories that an action before makes.
    private var made: Set<MadeDirectory> = []

    private struct MadeDirectory: Hashable {
        let top: FileKey
        let names: [[UInt8]]
    }

    /// Adds what an action does. What labels and names take is not counted.
    mutating func add(_ action: Action) {
        switch action.kind {
        case .edit(let change):
            sizes[change.file.key] = UInt64(change.contents.count)
            if change.contents != change.expected {
                add(
                    SpaceChange(new: UInt64(change.contents.count), old: UInt64(change.expected.count)),
                    to: change.file.volume)
            }
        case .create(let place, let contents, _): make(place, UInt64(contents.count))
        case .copy(let file, let place): make(place, size(of: file))
        case .replace(let file, let source):
            let new = size(of: source)
            add(SpaceChange(new: new, old: size(of: file)), to: file.volume)
            sizes[file.key] = new
        case .remove(let place): unknown.insert(place.directory.volume)
        case .rename, .setLabel, .deviceBytes: break
        }
    }

    private func size(of file: GuestFile) -> UInt64 { sizes[file.key] ?? file.attributes.size }

    private mutating func make(_ place: NamePlace, _ byteCount: UInt64) {
        var directories = 0
        for count in 0..<place.missing.count {
            let directory = MadeDirectory(
                top: place.directory, names: Array(place.missing.prefix(count + 1)))
            if made.insert(directory).inserted { directories += 1 }
        }
        add(SpaceChange(new: byteCount, newDirectories: directories), to: place.directory.volume)
    }

    private mutating func add(_ change: SpaceChange, to volume: Int) {
        if !unknown.contains(volume) { changes[volume, default: []].append(change) }
    }
}
