/// What a new file starts with.
public struct NewFileAttributes: Sendable {
    /// The low twelve mode bits.
    public var permissions: UInt16
    /// User.
    public var owner: UInt32
    /// Group.
    public var group: UInt32
    /// All of atime, mtime, ctime and creation time; nil: now.
    public var time: Timestamp?
    /// Extended attributes, full names.
    public var extendedAttributes: [ExtendedAttribute]
    /// Makes attributes.
    public init(
        permissions: UInt16, owner: UInt32 = 0, group: UInt32 = 0, time: Timestamp? = nil,
        extendedAttributes: [ExtendedAttribute] = []
    ) {
        self.permissions = permissions
        self.owner = owner
        self.group = group
        self.time = time
        self.extendedAttributes = extendedAttributes
    }
}

/// Attributes to set; nil leaves one as it is.
public struct AttributeChange: Sendable {
    /// The low twelve mode bits.
    public var permissions: UInt16?
    /// User.
    public var owner: UInt32?
    /// Group.
    public var group: UInt32?
    /// Last read.
    public var accessTime: Timestamp?
    /// Last change of contents.
    public var modificationTime: Timestamp?
    /// Makes a change.
    public init(
        permissions: UInt16? = nil, owner: UInt32? = nil, group: UInt32? = nil, accessTime: Timestamp? = nil,
        modificationTime: Timestamp? = nil
    ) {
        self.permissions = permissions
        self.owner = owner
        self.group = group
        self.accessTime = accessTime
        self.modificationTime = modificationTime
    }
}

extension AttributeChange {
    /// Which attributes it sets.
    public var attributes: AttributeSet {
        var set: AttributeSet = []
        if permissions != nil { set.insert(.permissions) }
        if owner != nil || group != nil { set.insert(.owner) }
        if accessTime != nil { set.insert(.accessTime) }
        if modificationTime != nil { set.insert(.modificationTime) }
        return set
    }

    /// The part of it that sets no more than `set`.
    public func limited(to set: AttributeSet) -> AttributeChange {
        AttributeChange(
            permissions: set.contains(.permissions) ? permissions : nil,
            owner: set.contains(.owner) ? owner : nil, group: set.contains(.owner) ? group : nil,
            accessTime: set.contains(.accessTime) ? accessTime : nil,
            modificationTime: set.contains(.modificationTime) ? modificationTime : nil)
    }
}
