internal import Foundation

/// Runs the outside programs that judge us: qemu-img, e2fsck, debugfs, sfdisk…
public struct Tool {
    /// What a run left.
    public struct Result: Sendable {
        public let status: Int32
        public let output: [UInt8]
        public let errors: [UInt8]
        public var text: String { String(decoding: output, as: UTF8.self) }
        public var errorText: String { String(decoding: errors, as: UTF8.self) }
    }

    public struct Failed: Error, CustomStringConvertible {
        public let description: String
    }

    private static let directories = [
        "/usr/sbin", "/usr/bin", "/sbin", "/bin", "/usr/local/bin", "/usr/local/sbin",
    ]

    /// Where a program is, or nil when it is not installed.
    public static func path(_ name: String) -> String? {
        directories.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    public static func has(_ names: String...) -> Bool { names.allSatisfy { path($0) != nil } }

    /// Runs a program and waits. `input` goes to its standard input.
    @discardableResult
    public static func run(
        _ name: String, _ arguments: [String], input: String? = nil, directory: String? = nil,
        expect: ClosedRange<Int32>? = 0...0
    ) throws -> Result {
        guard let program = name.hasPrefix("/") ? name : path(name) else {
            throw Failed(description: "\(name) is not installed; `make setup` installs it")
        }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        var environment = ProcessInfo.processInfo.environment
        environment["LC_ALL"] = "C"
        environment["TZ"] = "UTC"
        environment["MKE2FS_CONFIG"] = "/dev/null"
        environment["E2FSPROGS_FAKE_TIME"] = environment["E2FSPROGS_FAKE_TIME"]
        environment["PATH"] = directories.joined(separator: ":")
        process.environment = environment
        if let directory { process.currentDirectoryURL = URL(fileURLWithPath: directory) }
        // Files, not pipes: a program that writes much to both cannot block.
        let scratch = try TemporaryDirectory()
        let outputPath = scratch.path("out")
        let errorPath = scratch.path("err")
        _ = FileManager.default.createFile(atPath: outputPath, contents: nil)
        _ = FileManager.default.createFile(atPath: errorPath, contents: nil)
        process.standardOutput = FileHandle(forWritingAtPath: outputPath)
        process.standardError = FileHandle(forWritingAtPath: errorPath)
        if let input {
            let inputPath = scratch.path("in")
            try Data(input.utf8).write(to: URL(fileURLWithPath: inputPath))
            process.standardInput = FileHandle(forReadingAtPath: inputPath)
        } else {
            process.standardInput = FileHandle.nullDevice
        }
        try process.run()
        process.waitUntilExit()
        let result = Result(
            status: process.terminationStatus,
            output: [UInt8](try Data(contentsOf: URL(fileURLWithPath: outputPath))),
            errors: [UInt8](try Data(contentsOf: URL(fileURLWithPath: errorPath))))
        if let expect, !expect.contains(result.status) {
            throw Failed(
                description: "\(name) \(arguments.joined(separator: " ")) exited \(result.status): "
                    + result.errorText + result.text)
        }
        return result
    }
}
