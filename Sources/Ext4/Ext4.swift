// The Ext4 target.
