import GuestTree
import Testing

/// Paths of a guest are bytes with names between slashes.
@Suite struct GuestPathTests {
    private static func name(_ text: String) -> [UInt8] { Array(text.utf8) }

    @Test(
        arguments: [
            ("/", []), ("", []), ("/etc/fstab", ["etc", "fstab"]), ("//etc///fstab/", ["etc", "fstab"]),
            ("a/./..", ["a", ".", ".."]),
        ] as [(String, [String])])
    func namesLieBetweenSlashes(_ text: String, _ names: [String]) {
        let path = GuestPath(text)
        #expect(path.components == names.map(Self.name))
        #expect(path.lastComponent == names.last.map(Self.name))
        #expect(path.isAbsolute == text.hasPrefix("/"))
    }

    @Test func aNameThatIsNoTextStays() {
        let path = GuestPath.root.appending([0xff, 0x2d])
        #expect(path.bytes == [0x2f, 0xff, 0x2d] && path.components == [[0xff, 0x2d]])
        #expect(path.displayText == "/\\xff-")
    }

    @Test func appendingKeepsOneSlash() {
        #expect(GuestPath.root.appending(Self.name("etc")) == "/etc")
        #expect(GuestPath("/etc").appending(Self.name("fstab")) == "/etc/fstab")
        #expect(GuestPath(names: [Self.name("a"), Self.name("b")]) == "/a/b")
        #expect(GuestPath(names: [[UInt8]]()) == .root)
    }

    @Test(arguments: [
        ("/boot/efi", "/boot", true), ("/bootefi", "/boot", false), ("/boot", "/boot", false),
        ("/boot", "/", true), ("/", "/", false), ("/bo", "/boot", false),
    ])
    func belowCountsWholeNames(_ path: String, _ directory: String, _ isBelow: Bool) {
        #expect(GuestPath(path).isBelow(GuestPath(directory)) == isBelow)
    }

    @Test func whatComesAfterADirectory() {
        #expect(Array(GuestPath("/a/b/c").relative(to: "/a")) == Self.name("b/c"))
        #expect(Array(GuestPath("/a/b").relative(to: .root)) == Self.name("a/b"))
        #expect(GuestPath("/a").relative(to: "/a").isEmpty)
    }
}
