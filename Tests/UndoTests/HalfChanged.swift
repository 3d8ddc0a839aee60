import Foundation
import HostIO
import Storage
import TestSupport
import Testing
import Undo

/// A change that was cut off, of one file or more, and the files as they were.
struct HalfChanged {
    /// Whether files here keep what an image that is moved is known by.
    static let attributesAreKept: Bool = {
        guard let directory = try? TemporaryDirectory(), let path = try? directory.write("a", [1]),
            let file = try? HostFile.open(path, access: .write), file.incarnation?.birth != 0
        else { return false }
        return (try? file.setAttribute("user.test", to: [1])) != nil
    }()

    /// What gets the name of the image that was moved.
    enum Other: CaseIterable {
        /// As it was before the change.
        case backup
        /// As half changed as the image, without its mark.
        case copy
        /// With its mark.
        case markedCopy
    }

    let directory: TemporaryDirectory
    let paths: [String]
    let before: [[UInt8]]
    let half: [[UInt8]]

    init(count: Int = 1, seed: UInt64 = 21) throws {
        directory = try TemporaryDirectory()
        let root = try #require(HostDirectory.resolved(directory.root))
        var random = SeededRandom(seed)
        for name in ["images", "elsewhere"] {
            try FileManager.default.createDirectory(
                atPath: root + "/" + name, withIntermediateDirectories: false)
        }
        var paths: [String] = []
        for index in 0..<count {
            paths.append(
                root + "/images/\(index).img")
            try directory.write("images/\(index).img", random.bytes(20_000))
        }
        self.paths = paths
        before = try paths.map(fileBytes)
        // Without a lock: files and transaction hold each other until it ends, which it does not here.
        let files = try paths.map { try RecordedFile.open($0, locking: .ignore) }
        _ = try HostTransaction(files, memoryLimit: 3000)
        for index in 0..<4 as Range<UInt64> {
            for file in files {
                try file.write(random.bytes(1500), at: index * 3000)
                try file.flush()
            }
        }
        half = try paths.map(fileBytes)
    }

    func moveAway(_ index: Int = 0) throws -> String {
        let moved = directory.path("elsewhere/\(index).img")
        try FileManager.default.moveItem(atPath: paths[index], toPath: moved)
        return moved
    }

    func put(_ other: Other, at index: Int = 0, copyOf moved: String) throws {
        switch other {
        case .backup: try Data(before[index]).write(to: URL(fileURLWithPath: paths[index]))
        case .copy: try Data(half[index]).write(to: URL(fileURLWithPath: paths[index]))
        case .markedCopy: try Tool.run("cp", ["-a", moved, paths[index]])
        }
    }
}
