extension AccessControl {
    /// Whether the kernel would take it, posix_acl_valid(): owner, named users, group, named groups, mask, others, in this
    /// order; a mask where anybody is named, and no bits but r, w and x. A list without entries is none.
    public var isValid: Bool {
        let order: [Tag] = [.owner, .user, .owningGroup, .group, .mask, .other]
        var last = -1
        var found: Set<Tag> = []
        for entry in entries {
            guard let place = order.firstIndex(of: entry.tag),
                place > last || place == last && entry.tag.isNamed,
                entry.permissions <= 7, !entry.tag.isNamed || entry.id != .max
            else { return false }
            last = place
            found.insert(entry.tag)
        }
        let needsMask = found.contains(.user) || found.contains(.group)
        return found.isEmpty
            || found.isSuperset(of: [.owner, .owningGroup, .other]) && (!needsMask || found.contains(.mask))
    }

    /// The permissions that it gives a mode, and whether the mode says all that it says.
    public var mode: (permissions: UInt16, saysAll: Bool) {
        var mode: UInt16 = 0
        var mask: UInt16?
        var saysAll = true
        for entry in entries {
            switch entry.tag {
            case .owner: mode |= (entry.permissions & 7) << 6
            case .owningGroup: mode |= (entry.permissions & 7) << 3
            case .other: mode |= entry.permissions & 7
            case .mask:
                mask = entry.permissions & 7
                saysAll = false
            case .user, .group: saysAll = false
            }
        }
        if let mask { mode = mode & ~0o070 | mask << 3 }
        return (mode, saysAll)
    }

    /// The same with the permissions of a mode: posix_acl_chmod().
    public func settingMode(_ mode: UInt16) -> AccessControl {
        var copy = self
        let hasMask = entries.contains { $0.tag == .mask }
        for index in copy.entries.indices {
            switch copy.entries[index].tag {
            case .owner: copy.entries[index].permissions = mode >> 6 & 7
            case .mask: copy.entries[index].permissions = mode >> 3 & 7
            case .owningGroup where !hasMask: copy.entries[index].permissions = mode >> 3 & 7
            case .other: copy.entries[index].permissions = mode & 7
            case .user, .group, .owningGroup: break
            }
        }
        return copy
    }

    /// What a new file with `permissions` makes of its directory's default list: posix_acl_create(). The list is nil
    /// where the mode says as much.
    public func inherited(_ permissions: UInt16) -> (permissions: UInt16, list: AccessControl?) {
        var copy = self
        let hasMask = entries.contains { $0.tag == .mask }
        var mode = permissions & 0o7000
        for index in copy.entries.indices {
            switch copy.entries[index].tag {
            case .owner:
                copy.entries[index].permissions &= permissions >> 6 & 7
                mode |= copy.entries[index].permissions << 6
            case .mask:
                copy.entries[index].permissions &= permissions >> 3 & 7
                mode |= copy.entries[index].permissions << 3
            case .owningGroup where !hasMask:
                copy.entries[index].permissions &= permissions >> 3 & 7
                mode |= copy.entries[index].permissions << 3
            case .other:
                copy.entries[index].permissions &= permissions & 7
                mode |= copy.entries[index].permissions
            default: break
            }
        }
        let saysMore = entries.contains { $0.tag.isNamed || $0.tag == .mask }
        return (mode, saysMore ? copy : nil)
    }
}
