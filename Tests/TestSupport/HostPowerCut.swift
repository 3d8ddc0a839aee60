internal import Foundation
@_spi(Testing) public import HostIO
internal import Storage

/// Cuts the power at every point of what was traced on host files: after each call, and with any part of what no
/// flush had made durable yet, sector by sector. Files are held whole; names count as durable after their directory's
/// sync, contents after their own file's flush.
@_spi(Testing)
public struct HostPowerCut {
    private let initial: [String: [UInt8]]
    private let events: [HostTrace.Event]

    /// `initial` has the files that were there before the first event.
    public init(initial: [String: [UInt8]], events: [HostTrace.Event]) {
        self.initial = initial
        self.events = events
    }

    /// The files in a directory, by path.
    public static func files(in root: String) throws -> [String: [UInt8]] {
        var files: [String: [UInt8]] = [:]
        for name in try FileManager.default.contentsOfDirectory(atPath: root) {
            files["\(root)/\(name)"] = try fileBytes("\(root)/\(name)")
        }
        return files
    }

    /// Makes a directory hold `files` and no others.
    public static func put(_ files: [String: [UInt8]], in root: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: root)
        where files["\(root)/\(name)"] == nil {
            try FileManager.default.removeItem(atPath: "\(root)/\(name)")
        }
        for (path, bytes) in files { try Data(bytes).write(to: URL(fileURLWithPath: path)) }
    }

    /// What a call does to files, as a program that is killed behind it leaves them.
    public static func apply(_ event: HostTrace.Event, to files: inout [String: [UInt8]]) {
        var world = World(current: files, durable: [:])
        world.apply(event)
        files = world.current
    }

    /// Calls `check` with the files as each cut leaves them.
    public func forEachState(
        reorderings: Int, every step: Int = 1, seed: UInt64,
        _ check: (_ files: [String: [UInt8]], _ cut: String) throws -> Void
    ) throws {
        var random = SeededRandom(seed)
        var world = World(current: initial, durable: initial)
        try check(world.current, "before the first call")
        for (index, event) in events.enumerated() {
            world.apply(event)
            guard index % step == 0 || index == events.count - 1 else { continue }
            try check(world.current, "after call \(index) of \(events.count)")
            guard world.hasPending else { continue }
            for number in 0..<reorderings {
                try check(
                    world.cut(torn: number % 2 == 1, &random), "after call \(index), reordering \(number)")
            }
        }
    }
}

private struct World {
    /// As the running system shows it.
    var current: [String: [UInt8]]
    /// What is on the disk for certain.
    var durable: [String: [UInt8]]
    /// Calls on contents since the file's last flush.
    private var pending: [String: [HostTrace.Event]] = [:]
    /// Names made or removed since their directory's last sync.
    private var pendingNames: Set<String> = []
    /// Those of them that a rename gave.
    private var renamed: Set<String> = []

    init(current: [String: [UInt8]], durable: [String: [UInt8]]) {
        self.current = current
        self.durable = durable
    }

    var hasPending: Bool { !pendingNames.isEmpty || pending.values.contains { !$0.isEmpty } }

    mutating func apply(_ event: HostTrace.Event) {
        switch event {
        case .create(let path):
            current[path] = []
            pendingNames.insert(path)
        case .remove(let path):
            guard current.removeValue(forKey: path) != nil else { return }
            pending[path] = nil
            pendingNames.insert(path)
        case .rename(let old, let path):
            current[path] = current.removeValue(forKey: old)
            pending[path] = pending.removeValue(forKey: old)
            pendingNames.formUnion([old, path])
            renamed.insert(path)
        case .write(let path, _, _), .zero(let path, _, _), .truncate(let path, _):
            Self.apply(event, to: &current[path, default: []])
            pending[path, default: []].append(event)
        case .flush(let path):
            pending[path] = nil
            // A name that is not durable yet keeps its contents for when it is.
            if durable[path] != nil || !pendingNames.contains(path) { durable[path] = current[path] }
        case .syncDirectory(let directory):
            for path in pendingNames where HostPath.directory(of: path) == directory {
                pendingNames.remove(path)
                renamed.remove(path)
                guard let bytes = current[path] else {
                    durable[path] = nil
                    continue
                }
                durable[path] = pending[path]?.isEmpty ?? true ? bytes : durable[path] ?? []
            }
        }
    }

    /// The files after a cut now: of what is pending, any part.
    func cut(torn: Bool, _ random: inout SeededRandom) -> [String: [UInt8]] {
        var result = durable
        for path in pendingNames.sorted() where Bool.random(using: &random) {
            if let bytes = current[path] {
                // The name got there; the contents need not have.
                let whole = pending[path]?.isEmpty ?? true ? bytes : []
                result[path] = renamed.contains(path) ? whole : durable[path] ?? whole
            } else {
                result[path] = nil
            }
        }
        for (path, events) in pending.sorted(by: { $0.key < $1.key }) {
            guard var bytes = result[path] else { continue }
            for event in events where Bool.random(using: &random) {
                guard torn, case .write(let path, let offset, let data) = event else {
                    Self.apply(event, to: &bytes)
                    continue
                }
                var done = 0
                while done < data.count {
                    let step = min(512 - Int((offset + UInt64(done)) % 512), data.count - done)
                    if Bool.random(using: &random) {
                        let part = Array(data[done..<done + step])
                        Self.apply(.write(path, offset: offset + UInt64(done), bytes: part), to: &bytes)
                    }
                    done += step
                }
            }
            result[path] = bytes
        }
        return result
    }

    private static func apply(_ event: HostTrace.Event, to bytes: inout [UInt8]) {
        func extend(to end: Int) {
            if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
        }
        switch event {
        case .write(_, let offset, let data):
            extend(to: Int(offset) + data.count)
            bytes.replaceSubrange(Int(offset)..<Int(offset) + data.count, with: data)
        case .zero(_, let offset, let count):
            let range = Int(offset)..<Int(offset + count)
            bytes.replaceSubrange(range, with: [UInt8](repeating: 0, count: range.count))
        case .truncate(_, let length):
            if bytes.count > Int(length) { bytes.removeLast(bytes.count - Int(length)) }
            extend(to: Int(length))
        default: break
        }
    }
}
