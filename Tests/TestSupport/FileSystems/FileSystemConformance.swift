internal import Storage
internal import Testing

/// What every file system's driver, reader and transaction have to hold, whatever they can do.
package struct FileSystemConformance {
    let subject: FileSystemSubject

    package init(_ subject: FileSystemSubject) { self.subject = subject }

    static let files: [String: [UInt8]] = [
        "etc/fstab": Array("/dev/hda1 / auto defaults 0 0\n".utf8), "etc/empty": [],
        "boot/kernel": TreeModel.contents(40_000), "boot/menu": TreeModel.contents(700),
    ]

    func open(_ device: any BlockDevice) throws -> any FileSystem {
        try subject.driver.open(device, options: FileSystemOptions())
    }

    func openWritable(_ device: any BlockDevice) throws -> any WritableFileSystem {
        let opened = try open(device)
        return try #require(opened as? any WritableFileSystem)
    }

    /// The driver knows its own volumes, nothing else, and says the same as what it opens.
    package func recognition() throws {
        let bytes = try subject.make(Self.files)
        let device = MemoryDevice(bytes)
        let signature = try #require(try subject.driver.identify(device))
        #expect(signature.holdsFiles && signature.strength != .weak)
        #expect(subject.driver.kinds.contains(signature.identity.kind))
        let volume = try open(device)
        #expect(volume.identity == signature.identity)
        #expect(volume.kind == signature.identity.kind)
        #expect(device.events.isEmpty, "opening wrote")
        var findings: [Finding] = []
        try subject.driver.check(device) { findings.append($0) }
        #expect(findings.filter { $0.severity == .damage } == [])
        #expect(device.events.isEmpty, "the check wrote")

        for other in [
            MemoryDevice(byteCount: 0), MemoryDevice(byteCount: 512), MemoryDevice(byteCount: 1 << 20),
            MemoryDevice([UInt8](repeating: 0xff, count: 1 << 20)),
        ] {
            #expect(try subject.driver.identify(other) == nil)
            #expect(throws: StorageError.self) { try open(other) }
        }
        // Cut off anywhere near its start it is refused or read, and never a trap.
        for length in [1, 511, 512, 1024, 1536, 2048, 4096, 65536, 70_000] where length < bytes.count {
            let short = MemoryDevice(Array(bytes[..<length]))
            _ = try? subject.driver.identify(short)
            _ = try? open(short)
            try? subject.driver.check(short) { _ in }
        }
    }

    /// Files read as they were put in, in pieces of any length and by extents.
    package func reading() throws {
        let device = MemoryDevice(try subject.make(Self.files))
        let volume = try open(device)
        try readsAsMade(volume)
        if let writable = volume as? any WritableFileSystem { try readsAsMade(try writable.begin()) }
        #expect(device.events.isEmpty)
    }

    private func readsAsMade(_ tree: any FileTree) throws {
        let dot = Array(".".utf8)
        #expect(try tree.lookUp(dot, in: tree.rootDirectory) == tree.rootDirectory)
        #expect(try tree.lookUp(dot + dot, in: tree.rootDirectory) == tree.rootDirectory)
        #expect(try tree.lookUp(Array("no such name".utf8), in: tree.rootDirectory) == nil)
        for (path, contents) in Self.files {
            let file = try find(path, in: tree)
            #expect(try tree.attributes(of: file).size == UInt64(contents.count))
            for offset in [0, 1, 511, 699, 700, 39_999, 40_000, 50_000] {
                let expected = Array(contents.dropFirst(offset).prefix(1000))
                #expect(try read(1000, of: file, at: offset, in: tree) == expected, "\(path) at \(offset)")
            }
            var position: UInt64 = 0
            while position < UInt64(contents.count) {
                let extent = try tree.nextExtent(of: file, at: position)
                try #require(extent.range.lowerBound == position && !extent.range.isEmpty)
                position = extent.range.upperBound
            }
            #expect(position == UInt64(contents.count))
            #expect(throws: StorageError.self) { try tree.nextExtent(of: file, at: UInt64(contents.count)) }
        }
        let upper = try tree.lookUp(Array("ETC".utf8), in: tree.rootDirectory)
        #expect((upper != nil) == subject.driver.capabilities.foldsCase)
    }

    /// Capabilities name what the transaction conforms to, no more and no less, and opening says no more than the
    /// driver.
    package func capabilities() throws {
        let volume = try open(MemoryDevice(try subject.make(Self.files)))
        let said = volume.capabilities
        #expect(said == subject.driver.capabilities)
        guard let writable = volume as? any WritableFileSystem else {
            #expect(said.changes.isEmpty && said.settableAttributes.isEmpty && said.labelByteLimit == 0)
            return
        }
        let transaction = try writable.begin()
        func expect(_ change: Capabilities.Changes, _ conforms: Bool) {
            #expect(said.allows(change) == conforms, "change \(change.rawValue)")
        }
        expect(.contents, transaction is any ContentsTransaction)
        expect(.ranges, transaction is any RangesTransaction)
        expect(.holes, transaction is any HolesTransaction)
        expect(.names, transaction is any NamesTransaction)
        expect(.links, transaction is any LinksTransaction)
        expect(.nodes, transaction is any NodesTransaction)
        expect(.attributes, transaction is any AttributesTransaction)
        expect(.extendedAttributes, transaction is any ExtendedAttributesTransaction)
        expect(.label, transaction is any LabelTransaction)
        #expect(said.settableAttributes.isEmpty == !said.allows(.attributes))
        #expect((said.labelByteLimit == 0) == !said.allows(.label))
        try settable(said)
        try label(said)
        try options(said)
    }

    /// What is changed has the time that the file system was opened with, whatever the clock says, and a small cache will do.
    private func options(_ said: Capabilities) throws {
        guard said.allows(.contents) else { return }
        let device = MemoryDevice(try subject.make(Self.files))
        let now = Timestamp(seconds: 1_234_567_890)
        let options = FileSystemOptions(cacheByteCount: 1, now: now)
        let opened = try subject.driver.open(device, options: options)
        let transaction = try #require(opened as? any WritableFileSystem).begin()
        let menu = try find("boot/menu", in: transaction)
        guard try transaction.attributes(of: menu).kept.contains(.modificationTime) else { return }
        try #require(transaction as? any ContentsTransaction).replaceContents(of: menu, with: [1, 2, 3])
        try transaction.prepare().commit()
        let again = try open(MemoryDevice(device.contents))
        #expect(try again.attributes(of: find("boot/menu", in: again)).modificationTime == now)
    }

    /// Every attribute that can be set is kept.
    private func settable(_ said: Capabilities) throws {
        guard said.allows(.attributes) else { return }
        let device = MemoryDevice(try subject.make(Self.files))
        let volume = try openWritable(device)
        let transaction = try volume.begin()
        let change = AttributeChange(
            permissions: 0o2750, owner: 70_000, group: 70_001,
            accessTime: Timestamp(seconds: 1_000_000_000), modificationTime: Timestamp(seconds: 1_000_000_002)
        ).limited(to: said.settableAttributes)
        let file = try find("boot/menu", in: transaction)
        #expect(try transaction.attributes(of: file).kept.isSuperset(of: said.settableAttributes))
        try #require(transaction as? any AttributesTransaction).setAttributes(of: file, change)
        try transaction.prepare().commit()
        let again = try open(MemoryDevice(device.contents))
        let found = try again.attributes(of: find("boot/menu", in: again))
        if let permissions = change.permissions { #expect(found.permissions == permissions) }
        if let owner = change.owner { #expect(found.owner == owner && found.group == 70_001) }
        if let time = change.accessTime { #expect(found.accessTime == time) }
        if let time = change.modificationTime { #expect(found.modificationTime == time) }
        #expect(try subject.defects(device.contents) == "")
    }

    /// A label of the longest length is taken, a longer one is not.
    private func label(_ said: Capabilities) throws {
        guard said.allows(.label) else { return }
        let device = MemoryDevice(try subject.make([:]))
        let volume = try openWritable(device)
        let refusing = try volume.begin()
        let long = [UInt8](repeating: UInt8(ascii: "L"), count: said.labelByteLimit + 1)
        let labeller = try #require(refusing as? any LabelTransaction)
        #expect(throws: StorageError.self) { try labeller.setLabel(long) }
        let transaction = try volume.begin()
        try #require(transaction as? any LabelTransaction).setLabel(Array(long.dropLast()))
        try transaction.prepare().commit()
        #expect(try open(MemoryDevice(device.contents)).identity.label == Array(long.dropLast()))
        #expect(try subject.defects(device.contents) == "")
    }

    func find(_ path: String, in tree: any FileTree) throws -> FileID {
        var file = tree.rootDirectory
        for name in path.split(separator: "/") {
            file = try #require(try tree.lookUp(Array(name.utf8), in: file), "\(path)")
        }
        return file
    }

    private func read(_ count: Int, of file: FileID, at offset: Int, in tree: any FileTree) throws -> [UInt8]
    {
        var bytes = [UInt8](repeating: 0, count: count)
        var done = 0
        while done < count {
            let got = try bytes.withMutableBytes { (span) throws(StorageError) -> Int in
                var part = span.part(done..<count)
                return try tree.read(file, into: &part, at: UInt64(offset + done))
            }
            if got == 0 { break }
            done += got
        }
        return Array(bytes.prefix(done))
    }
}
