import TestSupport

/// What e2fsprogs says of a state.
struct Judgement {
    /// e2fsck -p's exit status.
    var preen: Int32
    /// e2fsck -fn's, afterwards.
    var check: Int32
    /// What both said, for messages.
    var text: String
    /// Contents of the files asked for, after e2fsck -p.
    var contents: [[UInt8]]

    init(_ image: [UInt8], files: [String]) throws {
        let directory = try TemporaryDirectory()
        defer { withExtendedLifetime(directory) {} }
        let path = try directory.write("image", image)
        let first = try Tool.run("e2fsck", ["-p", path], expect: nil)
        let second = try Tool.run("e2fsck", ["-fn", path], expect: nil)
        preen = first.status
        check = second.status
        text = first.text + first.errorText + second.text + second.errorText
        contents = try files.map { try Tool.run("debugfs", ["-R", "cat \($0)", path]).output }
    }

    var isSound: Bool { (preen == 0 || preen == 1) && check == 0 }
}
