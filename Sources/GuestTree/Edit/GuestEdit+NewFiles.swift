public import Storage

/// What a new file gets; nil: what suits its directory.
public struct NewFileOptions: Sendable {
    /// The low twelve mode bits.
    public var permissions: UInt16?
    /// Those of a file that is copied: taken where the file system keeps modes, and asked of no other.
    public var copiedPermissions: UInt16?
    /// The low nine mode bits before a umask took some of them: what counts in a directory that hands an access
    /// control list down, where no umask does (umask(2)). Without them `permissions`, and without these all of them.
    public var unmaskedPermissions: UInt16?
    /// User; without it the directory's.
    public var owner: UInt32?
    /// Group; without it the directory's.
    public var group: UInt32?
    /// Modification time; without it now.
    public var time: Timestamp?
    /// Extended attributes by full name. Without `security.selinux` among them its peers' label is taken.
    public var extendedAttributes: [ExtendedAttribute]

    /// Makes options.
    public init(
        permissions: UInt16? = nil, copiedPermissions: UInt16? = nil, unmaskedPermissions: UInt16? = nil,
        owner: UInt32? = nil, group: UInt32? = nil, time: Timestamp? = nil,
        extendedAttributes: [ExtendedAttribute] = []
    ) {
        self.permissions = permissions
        self.copiedPermissions = copiedPermissions
        self.unmaskedPermissions = unmaskedPermissions
        self.owner = owner
        self.group = group
        self.time = time
        self.extendedAttributes = extendedAttributes
    }
}

/// What is known of the labels in a directory.
struct DirectoryLabels {
    /// For new directories: the directory's own.
    var own: ExtendedAttribute?
    /// For other new files: what its files have, else its own.
    var files: ExtendedAttribute?
    /// The default access control list that new files inherit.
    var defaultList: [UInt8]?
}

extension GuestEdit {
    private static var selinux: [UInt8] { Array("security.selinux".utf8) }

    /// What a new file in `directory` starts with: owner and group of the directory, its peers' SELinux label, and
    /// the access control list that the directory hands down.
    func attributes(
        ofNew type: FileType, in directory: GuestFile, _ options: NewFileOptions, usual: UInt16
    ) throws(StorageError) -> NewFileAttributes {
        try attributes(ofNew: type, in: directory.key, directory.attributes, options, usual: usual)
    }

    /// The same for a directory that is known by its key.
    package func attributes(
        ofNew type: FileType, in directory: FileKey, _ itsAttributes: FileAttributes,
        _ options: NewFileOptions,
        usual: UInt16
    ) throws(StorageError) -> NewFileAttributes {
        let labels = try labels(of: directory)
        var permissions = options.permissions ?? options.copiedPermissions ?? usual
        var attributes = options.extendedAttributes
        if let label = type == .directory ? labels.own : labels.files,
            !attributes.contains(where: { $0.name == Self.selinux })
        {
            attributes.append(label)
        }
        if let list = labels.defaultList, type != .symbolicLink,
            !attributes.contains(where: { $0.name == AccessControl.AttributeName.access })
        {
            let full: UInt16 = type == .directory ? 0o777 : 0o666
            let unmasked =
                options.unmaskedPermissions ?? options.permissions ?? options.copiedPermissions ?? full
            let inherited = AccessControl(list)?.inherited(unmasked)
            if let inherited {
                permissions = inherited.permissions
                if let access = inherited.list {
                    attributes.append(
                        ExtendedAttribute(name: AccessControl.AttributeName.access, value: access.value))
                }
            }
            if type == .directory,
                !attributes.contains(where: { $0.name == AccessControl.AttributeName.inherited })
            {
                attributes.append(ExtendedAttribute(name: AccessControl.AttributeName.inherited, value: list))
            }
        }
        if type == .directory, options.permissions == nil {
            permissions |= itsAttributes.permissions & 0o2000
        }
        return NewFileAttributes(
            permissions: permissions, owner: options.owner ?? itsAttributes.owner,
            group: options.group ?? itsAttributes.group, time: options.time,
            extendedAttributes: attributes)
    }

    /// What is known of the labels in a directory, and stays known for as long as the edit lasts.
    func labels(of directory: FileKey) throws(StorageError) -> DirectoryLabels {
        if let known = labels[directory] { return known }
        // Where there are no labels, names are not read to look for one: what is wrong with them is the change's to say.
        guard try capabilities(on: directory.volume).allows(.extendedAttributes) else {
            return DirectoryLabels()
        }
        let own = try tree.extendedAttributes(of: directory)
        var found = DirectoryLabels()
        found.own = own.first { $0.name == Self.selinux }
        found.defaultList = own.first { $0.name == AccessControl.AttributeName.inherited }?.value
        found.files = try tree.peerLabel(in: directory) ?? found.own
        labels[directory] = found
        return found
    }
}

extension EditedTree {
    /// How many files are asked for their label.
    private static var peersAsked: Int { 64 }

    /// The SELinux label that the first labelled file of a directory has.
    func peerLabel(in directory: FileKey) throws(StorageError) -> ExtendedAttribute? {
        let name = Array("security.selinux".utf8)
        for entry in try entries(of: directory).lazy.filter({ $0.type == .regular }).prefix(Self.peersAsked) {
            let file = FileKey(volume: directory.volume, id: entry.file)
            if let label = try extendedAttributes(of: file).first(where: { $0.name == name }) { return label }
        }
        return nil
    }
}
