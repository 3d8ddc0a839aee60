import Foundation
import Storage
import TestSupport
import Testing

/// qemu-io, which has an image open for writing as a running machine does.
private final class ImageHolder {
    private var process: Process
    private var input: Pipe

    /// Returns when the image is locked.
    init(_ path: String) throws {
        (process, input) = try Self.start(path)
        for _ in 0..<6000 {
            // Another test's child may have held the image between fork and exec.
            if !process.isRunning { (process, input) = try Self.start(path) }
            if try Tool.run("qemu-img", ["info", path], expect: nil).status != 0 { return }
            usleep(20_000)
        }
        throw Failure(description: "qemu-io does not open \(path)")
    }

    /// A pipe serves one start: running a process closes its reading end here.
    private static func start(_ path: String) throws -> (Process, Pipe) {
        let (process, input) = (Process(), Pipe())
        process.executableURL = URL(fileURLWithPath: Tool.path("qemu-io") ?? "/usr/bin/qemu-io")
        process.arguments = ["-f", "qcow2", path]
        process.standardInput = input
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        return (process, input)
    }

    deinit {
        // It blocks SIGTERM.
        kill(process.processIdentifier, SIGKILL)
        process.waitUntilExit()
    }
}

/// The rows that docs/qemu-img.md calls the same, each run beside qemu-img.
@Suite(.enabled(if: Tool.has("qemu-img", "qemu-io", "sfdisk"), "qemu-utils or fdisk is not installed"))
struct QEMUTableTests {
    /// A row: what both programs are to do, and how they are compared.
    struct Row: Sendable, CustomTestStringConvertible {
        let name: String
        let check: @Sendable (Both) throws -> Void
        var testDescription: String { name }
    }

    /// Two folders with the same images, one for each program.
    struct Both {
        let directory = try? TemporaryDirectory()
        var theirs: String { (directory?.root ?? "") + "/qemu" }
        var ours: String { (directory?.root ?? "") + "/own" }

        /// a.qcow2 with data, b.qcow2 with the same and other allocation, c.qcow2 with a byte changed, leaky.qcow2, a.raw.
        init() throws {
            for folder in [theirs, ours] {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            }
            try Tool.run("qemu-img", ["create", "-q", "-f", "qcow2", "a.qcow2", "10M"], directory: theirs)
            try Tool.run(
                "qemu-io", ["-c", "write -P 7 64k 1M", "-c", "write -P 9 5M 100k", "a.qcow2"],
                directory: theirs)
            try Tool.run("qemu-img", ["convert", "-O", "raw", "a.qcow2", "a.raw"], directory: theirs)
            for name in ["b", "c", "leaky"] {
                try Tool.run("cp", ["a.qcow2", "\(name).qcow2"], directory: theirs)
            }
            try Tool.run("qemu-io", ["-c", "write -P 0 3M 64k", "b.qcow2"], directory: theirs)
            try Tool.run("qemu-io", ["-c", "write -P 1 4M 512", "c.qcow2"], directory: theirs)
            // Room that nothing refers to: a cluster is taken, and its entry forgotten.
            let leaky = theirs + "/leaky.qcow2"
            try Tool.run("qemu-io", ["-c", "write -P 1 8M 64k", leaky])
            var bytes = try fileBytes(leaky)
            let table = Int(bytes.big(Int(bytes.big(40, as: UInt64.self)), as: UInt64.self) & 0xff_ffff_ff00)
            bytes.storeBig(UInt64(0), at: table + (8 << 20) / 65536 * 8)
            try Data(bytes).write(to: URL(fileURLWithPath: leaky))
            try Tool.run("sh", ["-c", "cp -r qemu/. own/"], directory: directory?.root)
            // cp leaves blocks of zeros out: this one has to have the same holes.
            try Tool.run("qemu-img", ["convert", "-O", "raw", "a.qcow2", "a.raw"], directory: ours)
        }

        /// Runs both and expects the same exit status; with `text` the same standard output too.
        @discardableResult
        func run(_ arguments: String..., text: Bool = true) throws -> (Tool.Result, Tool.Result) {
            let one = try Tool.run("qemu-img", arguments, directory: theirs, expect: nil)
            let other = try Tool.run(Fixture.command, arguments, directory: ours, expect: nil)
            #expect(one.status == other.status, "\(arguments): \(one.errorText) / \(other.errorText)")
            if text { #expect(one.text == other.text, "\(arguments)") }
            return (one, other)
        }

        /// The same with JSON, whose keys and values are equal but for `leavingOut`.
        func json(_ arguments: String..., leavingOut: [String] = []) throws {
            try json(arguments, leavingOut: leavingOut)
        }

        func json(_ arguments: [String], leavingOut: [String] = []) throws {
            let one = try Tool.run("qemu-img", arguments, directory: theirs, expect: nil)
            let other = try Tool.run(Fixture.command, arguments, directory: ours, expect: nil)
            #expect(one.status == other.status)
            func read(_ result: Tool.Result) throws -> Any {
                let value = try JSONSerialization.jsonObject(with: Data(result.output))
                guard let rows = value as? [[String: Any]] else {
                    return (value as? [String: Any])?.filter { !leavingOut.contains($0.key) } as Any
                }
                return rows.map { $0.filter { !leavingOut.contains($0.key) } }
            }
            let (left, right) = (try read(one) as? NSObject, try read(other) as? NSObject)
            #expect(left != nil && left == right, "\(arguments): \(one.text) \(other.text)")
        }

        /// Both made a file of that name with the same disk, by qemu's word.
        func made(_ name: String, _ format: String) throws {
            try Tool.run(
                "qemu-img", ["compare", "-q", "-f", format, "-F", format, "qemu/\(name)", "own/\(name)"],
                directory: directory?.root)
            func size(_ folder: String) throws -> String {
                let info = try Tool.run("qemu-img", ["info", "-f", format, "\(folder)/\(name)"]).text
                return info.split(separator: "\n").filter {
                    $0.hasPrefix("virtual size") || $0.hasPrefix("backing file")
                }.joined(separator: "\n").replacingOccurrences(of: folder, with: "")
            }
            #expect(try size(theirs) == size(ours))
        }

        /// Another program reads the images while the command runs.
        func held(_ body: () throws -> Void) throws {
            let holders = try [theirs, ours].map { try ImageHolder("\($0)/a.qcow2") }
            try body()
            withExtendedLifetime(holders) {}
        }
    }

    static let rows: [Row] = check + compare + convert + create + info + map + measure + resize

    @Test(arguments: rows) func isTheSameBesideQEMU(_ row: Row) throws { try row.check(Both()) }

    /// Not the same in all: what counts as allocated differs.
    @Test func strictComparison() throws {
        let both = try Both()
        try both.run("compare", "-s", "a.qcow2", "a.qcow2")
        try both.run("compare", "-s", "a.qcow2", "b.qcow2", text: false)
        for folder in [both.theirs, both.ours] {
            try Tool.run("qemu-img", ["create", "-q", "-f", "raw", folder + "/long.raw", "11M"])
            try Tool.run("qemu-img", ["create", "-q", "-f", "raw", folder + "/short.raw", "10M"])
        }
        try both.run("compare", "-s", "-f", "raw", "-F", "raw", "long.raw", "short.raw", text: false)
        try both.run("compare", "-f", "raw", "-F", "raw", "long.raw", "short.raw")
    }

    /// What qemu-img takes for nonsense is none here either.
    @Test(arguments: [
        ["convert", "-S", "3", "-O", "raw", "a.qcow2", "o.raw"],
        ["convert", "-S", "32M", "-O", "raw", "a.qcow2", "o.raw"],
        ["convert", "-r", "x", "-O", "raw", "a.qcow2", "o.raw"],
        ["convert", "-m", "17", "-O", "raw", "a.qcow2", "o.raw"],
        ["convert", "-t", "some", "-O", "raw", "a.qcow2", "o.raw"],
        ["convert", "-T", "some", "-O", "raw", "a.qcow2", "o.raw"],
        ["convert", "-O", "raw", "a.qcow2"], ["convert", "-O", "some", "a.qcow2", "o.raw"],
        ["resize", "--preallocation=some", "a.qcow2", "+1M"], ["resize", "a.qcow2"],
        ["create", "-f", "qcow2", "n.qcow2"], ["create", "-f", "qcow2", "n.qcow2", "1Q"],
        ["measure", "-O", "qcow2"], ["measure", "-O", "qcow2", "-o", "cluster_size=3", "--size", "1M"],
        ["map", "--output=some", "a.qcow2"], ["info", "--output=some", "a.qcow2"],
        ["compare", "-T", "some", "a.qcow2", "b.qcow2"], ["check", "-r", "some", "a.qcow2"],
    ])
    func whatMakesNoSense(_ arguments: [String]) throws {
        let both = try Both()
        #expect(try Tool.run("qemu-img", arguments, directory: both.theirs, expect: nil).status != 0)
        try Tool.run(Fixture.command, arguments, directory: both.ours, expect: 64...64)
        for name in ["o.raw", "n.qcow2"] {
            #expect(!FileManager.default.fileExists(atPath: both.ours + "/\(name)"))
        }
    }

    @Test func everyRowOfTheTableIsRun() throws {
        let text = String(decoding: try fileBytes(Fixture.repository + "/docs/qemu-img.md"), as: UTF8.self)
        var section = ""
        var named: Set<String> = []
        for line in text.split(separator: "\n") {
            if line.hasPrefix("## ") { section = String(line.dropFirst(3)) }
            let cells = line.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            guard line.hasPrefix("|"), cells.count >= 2, cells[1] == "same" else { continue }
            named.insert("\(section) \(cells[0].filter { $0 != "`" })")
        }
        #expect(named == Set(Self.rows.map(\.name)))
    }
}
