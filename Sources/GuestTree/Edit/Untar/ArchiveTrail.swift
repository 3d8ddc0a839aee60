internal import Storage

/// The way to the directory that an archive's last member is in. Members follow each other along a tree, so most of
/// the way to one is the way to the next; an archive decides how long it is.
struct ArchiveTrail {
    private struct Step {
        var name: [UInt8]
        var key: FileKey
        var attributes: FileAttributes
        var before: PathBefore
    }

    /// What the path was before a step: a part of what it is now, or where a link was followed another one.
    private enum PathBefore {
        case length(Int)
        case other([UInt8])
    }

    private let top: GuestFile
    private var steps: [Step] = []
    /// The path of the last step's directory: one for all of them.
    private var path: [UInt8]

    /// A way that begins, and is, at `top`.
    init(_ top: GuestFile) {
        self.top = top
        path = top.path.bytes
    }

    /// Where the way has come to.
    var directory: GuestFile {
        guard let last = steps.last else { return top }
        return GuestFile(
            path: GuestPath(path), volume: last.key.volume, id: last.key.id, attributes: last.attributes)
    }

    /// Goes back to where the way to `parts` leaves this one; returns what of `parts` is still to go.
    mutating func leave(for parts: ArraySlice<[UInt8]>) -> ArraySlice<[UInt8]> {
        var shared = 0
        for (step, part) in zip(steps, parts) {
            guard step.name == part else { break }
            shared += 1
        }
        while steps.count > shared { goBack() }
        return parts.dropFirst(shared)
    }

    /// Goes on to a directory that has `name` where the way is, or that a link of this name leads to.
    mutating func enter(_ name: [UInt8], _ found: GuestFile) {
        let length = path.count
        let isBelow = found.path.bytes.count > length && found.path.bytes.starts(with: path)
        let before: PathBefore = isBelow ? .length(length) : .other(path)
        path = found.path.bytes
        steps.append(Step(name: name, key: found.key, attributes: found.attributes, before: before))
    }

    /// Back to the top.
    mutating func clear() {
        while !steps.isEmpty { goBack() }
    }

    private mutating func goBack() {
        switch steps.removeLast().before {
        case .length(let length): path.removeSubrange(length...)
        case .other(let other): path = other
        }
    }
}
