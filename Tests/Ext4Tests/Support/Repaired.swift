import TestSupport

/// What e2fsck -p makes of a volume.
struct Repaired {
    let bytes: [UInt8]
    let isSound: Bool
    let text: String

    init(_ image: [UInt8]) throws {
        let directory = try TemporaryDirectory()
        let path = try directory.write("image", image)
        let first = try Tool.run("e2fsck", ["-p", path], expect: nil)
        let second = try Tool.run("e2fsck", ["-fn", path], expect: nil)
        isSound = first.status <= 1 && second.status == 0
        text = isSound ? "" : first.text + first.errorText + second.text
        bytes = try fileBytes(path)
    }
}
